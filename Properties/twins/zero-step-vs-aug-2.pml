/* Twin of the scenario zero-step-vs-aug-2: two vCPUs that enter guests which read one page, at one RIP, and fault; a host
   thread that calls TDH.MEM.PAGE.AUG for that page again and again. From facts/checks.csv (TDH.VP.ENTER,
   TDH.MEM.PAGE.AUG), facts/zerostep.md, facts/lock-types.csv. One step is one access to shared state with the local work
   after it. Nobody calls TDH.MEM.TRACK, so the only epoch is the current one. */

#include "locks.pml"

#define OPERAND_BUSY 1
#define EPT_VIOLATION 2
#define ENTRY_STATE_INCORRECT 3

#define THRESHOLD 6

#define FREE 0
#define PENDING 1
#define MAPPED 2

/* Cases that occur: 1 TDH.VP.ENTER is busy, 2 TDH.MEM.PAGE.AUG is busy, 3 it adds the page. */

byte pamt_1g, pamt_2m, pamt_tdr, op_state_lock;
byte pamt_tdvpr[2];
byte pamt_page;
byte epoch_lock, tree_lock;
byte running;				/* REFCOUNT of the current epoch */
byte entry_state;			/* the page's S-EPT entry; those above it are NL_MAPPED for good */
bit entry_locked, entry_host_priority;
bit page_is_reg, page_has_bepoch, child_counted;
byte fault_count[2];
bit fault_listed[2];
bit vcpu_entered[2];			/* vCPU epoch: none, or the current one */
bit vcpu_active[2];
bit lp_rip_recorded[2], lp_last_vcpu[2], lp_in_guest[2];

active [2] proctype vcpu()
{
	byte status;
	bit sampled;
	bit tree_held;
	bit pending;	/* RDX of the EPT violation: type 6 */

enter:		HP_SHARED(pamt_1g, enter_2m, enter);
enter_2m:	HP_SHARED(pamt_2m, enter_4k, drop_1g);
enter_4k:	HP_SHARED(pamt_tdvpr[_pid], enter_tdr, drop_2m);
enter_tdr:	HP_SHARED(pamt_tdr, enter_op_state, drop_4k);
enter_op_state:	HP_SHARED(op_state_lock, associate, drop_tdr);
associate:	assert(!vcpu_active[_pid]);
		skip;	/* it was associated before */
epoch:		PLAIN_SHARED(epoch_lock, take_sample, drop_op_state, assert(false));
take_sample:	sampled = 1;
		running = running + 1;
		d_step {
			epoch_lock = epoch_lock - PLAIN_READER;
			vcpu_entered[_pid] = sampled;
			sampled = 0;
			lp_rip_recorded[_pid] = 1
		};

tree:		/* only if the list of faulting GPAs is not empty */
		if
		:: d_step { !fault_listed[_pid]; skip } goto translated
		:: d_step { fault_listed[_pid] && tree_lock == FREE_WORD; tree_lock = EXCLUSIVE; tree_held = 1 } goto translate
		:: d_step { fault_listed[_pid] && tree_lock != FREE_WORD; status = OPERAND_BUSY; REACHED(1) } goto uncount
		fi;
translate:	skip;	/* the upper levels */
		skip;
		skip;
		if
		:: d_step { entry_state == MAPPED; assert(false) } goto open_op_state
		:: d_step { entry_state != MAPPED; status = EPT_VIOLATION } goto uncount
		fi;
uncount:	STEP(running = running - 1);
		if
		:: d_step { tree_held; tree_lock = FREE_WORD; tree_held = 0 } goto drop_op_state
		:: d_step { !tree_held; HP_RELEASE_SHARED(op_state_lock) } goto drop_tdr
		fi;

translated:	skip;	/* no GPA to translate */
open_op_state:	STEP(HP_RELEASE_SHARED(op_state_lock); lp_last_vcpu[_pid] = 1; vcpu_active[_pid] = 1);
		d_step { assert(!tree_held); skip };
		lp_in_guest[_pid] = 1;

guest:		skip;	/* the processor's walk: the upper levels */
		skip;
		skip;
		d_step { assert(entry_state != MAPPED); skip };
		skip;	/* the module's walk */
		skip;
		skip;
		d_step {
			pending = entry_state == PENDING;
			if
			:: fault_count[_pid] == THRESHOLD -> fault_listed[_pid] = 1
			:: else -> fault_count[_pid] = fault_count[_pid] + 1
			fi;
			status = EPT_VIOLATION
		};
		vcpu_active[_pid] = 0;
		d_step { assert(vcpu_entered[_pid]); running = running - 1; lp_in_guest[_pid] = 0 };
		HP_RELEASE_SHARED(pamt_tdr);
		HP_RELEASE_SHARED(pamt_tdvpr[_pid]);
		HP_RELEASE_SHARED(pamt_2m);
		d_step { HP_RELEASE_SHARED(pamt_1g); status = 0; pending = 0 };
		goto enter;

drop_op_state:	HP_RELEASE_SHARED(op_state_lock);
drop_tdr:	HP_RELEASE_SHARED(pamt_tdr);
drop_4k:	HP_RELEASE_SHARED(pamt_tdvpr[_pid]);
drop_2m:	HP_RELEASE_SHARED(pamt_2m);
drop_1g:	STEP(HP_RELEASE_SHARED(pamt_1g); status = 0);
		goto enter
}

active proctype mapper()
{
	byte status;
	byte found;	/* the entry as last read */

aug:		HP_SHARED(pamt_1g, aug_2m, aug);
aug_2m:		HP_SHARED(pamt_2m, aug_4k, drop_1g);
aug_4k:		HP_SHARED(pamt_tdr, aug_op_state, drop_2m);
aug_op_state:	HP_SHARED(op_state_lock, tree, drop_4k);
tree:		PLAIN_SHARED(tree_lock, walk, drop_op_state, REACHED(2));
walk:		skip;	/* the upper levels */
		skip;
		skip;
		found = entry_state;
		if
		:: d_step { !entry_locked; entry_locked = 1; entry_host_priority = 0; found = FREE } goto read_again
		:: d_step { entry_locked; entry_host_priority = 1; status = OPERAND_BUSY } goto drop_tree
		fi;
read_again:	if
		:: d_step { entry_state == FREE; skip } goto page_1g
		:: d_step { entry_state != FREE; found = entry_state; status = ENTRY_STATE_INCORRECT } goto drop_entry
		fi;
page_1g:	HP_SHARED(pamt_1g, promote_1g, drop_entry);
promote_1g:	skip;	/* the PAMT walk does not end there */
page_2m:	HP_SHARED(pamt_2m, promote_2m, drop_page_1g);
promote_2m:	skip;
page_4k:	HP_EXCLUSIVE(pamt_page, write_entry, drop_page_2m);
write_entry:	STEP(
			assert(!page_is_reg);
			entry_state = PENDING;
			entry_locked = 0;
			entry_host_priority = 0;
			REACHED(3)
		);
		d_step { child_counted = 1; page_is_reg = 1 };
		page_has_bepoch = 1;
		HP_RELEASE_EXCLUSIVE(pamt_page);
drop_page_2m:	HP_RELEASE_SHARED(pamt_2m);
drop_page_1g:	HP_RELEASE_SHARED(pamt_1g);
		if
		:: d_step { status != 0; entry_locked = 0 }
		:: d_step { status == 0; tree_lock = tree_lock - PLAIN_READER } goto drop_op_state
		fi;
		goto drop_tree;

drop_entry:	entry_locked = 0;
drop_tree:	tree_lock = tree_lock - PLAIN_READER;
drop_op_state:	HP_RELEASE_SHARED(op_state_lock);
drop_4k:	HP_RELEASE_SHARED(pamt_tdr);
drop_2m:	HP_RELEASE_SHARED(pamt_2m);
drop_1g:	STEP(HP_RELEASE_SHARED(pamt_1g); status = 0; found = FREE);
		goto aug
}
