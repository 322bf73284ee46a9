/* The module's locks (lock-types.csv), each attempt one step. Who is refused leaves no reader behind here: only the
   exclusive release would see it, and drops it. */

#define FREE_WORD 0
#define EXCLUSIVE 1

/* Shared/exclusive with host priority: bit 0 the exclusive holder, bit 1 host priority, from bit 2 on readers. */
#define HOST_PRIORITY 2
#define READER 4

/* Plain shared/exclusive: bit 0 the exclusive holder, from bit 1 on readers. */
#define PLAIN_READER 2

#define HP_SHARED(word, granted, refused) \
	if \
	:: d_step { !(word & EXCLUSIVE); word = (word + READER) & ~HOST_PRIORITY } goto granted \
	:: d_step { word & EXCLUSIVE; word = word | HOST_PRIORITY; status = OPERAND_BUSY } goto refused \
	fi

#define HP_EXCLUSIVE(word, granted, refused) \
	if \
	:: d_step { word == FREE_WORD || word == HOST_PRIORITY; word = EXCLUSIVE } goto granted \
	:: d_step { word != FREE_WORD && word != HOST_PRIORITY; word = word | HOST_PRIORITY; status = OPERAND_BUSY } goto refused \
	fi

#define HP_RELEASE_SHARED(word) word = word - READER
#define HP_RELEASE_EXCLUSIVE(word) word = word & HOST_PRIORITY

#define PLAIN_SHARED(word, granted, refused, case) \
	if \
	:: d_step { !(word & EXCLUSIVE); word = word + PLAIN_READER } goto granted \
	:: d_step { word & EXCLUSIVE; status = OPERAND_BUSY; case } goto refused \
	fi

#define PLAIN_EXCLUSIVE(word, granted, refused, case) \
	if \
	:: d_step { word == FREE_WORD; word = EXCLUSIVE } goto granted \
	:: d_step { word != FREE_WORD; status = OPERAND_BUSY; case } goto refused \
	fi

/* One step at a label: no goto leads to the label of a d_step itself. */
#define STEP(work) if :: d_step { work } fi

/* A case that occurs: told once, no part of the state. */
c_decl { static unsigned char told[8]; }
#define REACHED(number) c_code { if (!told[number]) { told[number] = 1; printf("reached: %d\n", number); } }
