/* Twin of the scenario track-vs-enter: a vCPU that enters its guest, which leaves at once by TDG.VP.VMCALL, again and
   again; a host thread that calls TDH.MEM.TRACK again and again. From facts/checks.csv (TDH.VP.ENTER, TDH.MEM.TRACK),
   facts/epoch.md, facts/lock-types.csv. One step is one access to shared state with the local work after it.

   Epochs are kept by age: TD_EPOCH is always the current one, and TDH.MEM.TRACK makes everything else one older. */

#include "locks.pml"

#define OPERAND_BUSY 1
#define PREVIOUS_TLB_EPOCH_BUSY 2

#define NEVER_ENTERED 0
#define OLDER 1
#define PREVIOUS 2
#define CURRENT 3

/* Cases that occur: 1 TDH.VP.ENTER is busy, 2 TDH.MEM.TRACK is busy, 3 it finds the previous epoch in use. */

byte pamt_1g, pamt_2m, pamt_tdr, pamt_tdvpr, op_state_lock;
byte epoch_lock;
byte running_current, running_previous;		/* REFCOUNT, by the age of the epoch */
byte vcpu_epoch = NEVER_ENTERED;
bit vcpu_active;					/* vCPU state: VCPU_READY or VCPU_ACTIVE */
bit left_by_vmcall;				/* last TD exit */
bit lp_rip_recorded, lp_last_vcpu, lp_in_guest;

active proctype vcpu()
{
	byte status;
	byte sample;

enter:		HP_SHARED(pamt_1g, enter_2m, enter);
enter_2m:	HP_SHARED(pamt_2m, enter_4k, drop_1g);
enter_4k:	HP_SHARED(pamt_tdvpr, enter_tdr, drop_2m);
enter_tdr:	HP_SHARED(pamt_tdr, enter_op_state, drop_4k);
enter_op_state:	HP_SHARED(op_state_lock, associate, drop_tdr);
associate:	assert(!vcpu_active);
count:		skip;	/* it was associated before */
epoch:		PLAIN_SHARED(epoch_lock, take_sample, drop_op_state, REACHED(1));
take_sample:	sample = CURRENT;
		d_step { assert(sample == CURRENT); running_current = running_current + 1 };
		d_step { epoch_lock = epoch_lock - PLAIN_READER; vcpu_epoch = sample; sample = 0; lp_rip_recorded = 1 };
tree:		skip;	/* the list of faulting GPAs is empty */
translate:	skip;
		d_step { HP_RELEASE_SHARED(op_state_lock); lp_last_vcpu = 1; vcpu_active = 1 };
release_tree:	skip;
		lp_in_guest = 1;

guest:		STEP(vcpu_active = 0; left_by_vmcall = 1);
		d_step {
			if
			:: vcpu_epoch == CURRENT -> running_current = running_current - 1
			:: vcpu_epoch == PREVIOUS -> running_previous = running_previous - 1
			:: else -> assert(false)
			fi;
			lp_in_guest = 0
		};
		HP_RELEASE_SHARED(pamt_tdr);
		HP_RELEASE_SHARED(pamt_tdvpr);
		HP_RELEASE_SHARED(pamt_2m);
		HP_RELEASE_SHARED(pamt_1g);
		goto enter;

drop_op_state:	HP_RELEASE_SHARED(op_state_lock);
drop_tdr:	HP_RELEASE_SHARED(pamt_tdr);
drop_4k:	HP_RELEASE_SHARED(pamt_tdvpr);
drop_2m:	HP_RELEASE_SHARED(pamt_2m);
drop_1g:	STEP(HP_RELEASE_SHARED(pamt_1g); status = 0);
		goto enter
}

active proctype tracker()
{
	byte status;
	byte kept;

track:		HP_SHARED(pamt_1g, track_2m, track);
track_2m:	HP_SHARED(pamt_2m, track_4k, drop_1g);
track_4k:	HP_SHARED(pamt_tdr, track_op_state, drop_2m);
track_op_state:	HP_SHARED(op_state_lock, epoch, drop_4k);
epoch:		PLAIN_EXCLUSIVE(epoch_lock, check, drop_op_state, REACHED(2));
check:
		if
		:: d_step { running_previous == 0; skip } goto advance
		:: d_step { running_previous != 0; status = PREVIOUS_TLB_EPOCH_BUSY; REACHED(3) } goto drop_epoch
		fi;
advance:	STEP(
			kept = running_previous;
			running_previous = running_current;
			running_current = kept;
			kept = 0;
			if
			:: vcpu_epoch == CURRENT -> vcpu_epoch = PREVIOUS
			:: vcpu_epoch == PREVIOUS -> vcpu_epoch = OLDER
			:: else
			fi
);
drop_epoch:	STEP(assert(epoch_lock == EXCLUSIVE); epoch_lock = FREE_WORD);
drop_op_state:	HP_RELEASE_SHARED(op_state_lock);
drop_4k:		HP_RELEASE_SHARED(pamt_tdr);
drop_2m:		HP_RELEASE_SHARED(pamt_2m);
drop_1g:		STEP(HP_RELEASE_SHARED(pamt_1g); status = 0);
		goto track
}
