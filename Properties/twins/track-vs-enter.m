-- Twin of the scenario track-vs-enter in Murphi: a vCPU that enters its guest, which leaves at once by TDG.VP.VMCALL,
-- again and again; a host thread that calls TDH.MEM.TRACK again and again. From facts/checks.csv, facts/epoch.md,
-- facts/lock-types.csv. A rule is one step of an agent: one access to shared state with the local work after it.
--
-- Epochs are kept by age: TD_EPOCH is always the current one, and TDH.MEM.TRACK makes everything else one older.
-- A shared attempt that is refused leaves no reader behind: only the exclusive release would see it, and drops it.

type
  readers: 0..2;
  priority_lock: record exclusive: boolean; host_priority: boolean; shared: readers; end;
  plain_lock: record exclusive: boolean; shared: readers; end;
  status: enum { ok, operand_busy, previous_tlb_epoch_busy };
  age: enum { never, older, previous, current };
  enter_place: enum {
    e_pamt_1g, e_pamt_2m, e_pamt_4k, e_tdr, e_op_state, e_associate, e_count, e_epoch, e_sample, e_running, e_epoch_off,
    e_tree, e_translate, e_op_state_off, e_tree_off, e_vm_entry, e_guest, e_exit_count, e_exit_tdr, e_exit_4k, e_exit_2m,
    e_exit_1g, e_drop_op_state, e_drop_tdr, e_drop_4k, e_drop_2m, e_drop_1g };
  track_place: enum {
    t_pamt_1g, t_pamt_2m, t_pamt_4k, t_op_state, t_epoch, t_check, t_advance, t_drop_epoch, t_drop_op_state, t_drop_4k,
    t_drop_2m, t_drop_1g };

var
  pamt_1g, pamt_2m, pamt_tdr, pamt_tdvpr, op_state_lock: priority_lock;
  epoch_lock: plain_lock;
  running: array [age] of readers;
  vcpu_epoch: age;
  vcpu_active, left_by_vmcall, lp_rip_recorded, lp_last_vcpu, lp_in_guest: boolean;
  enter: enter_place;
  enter_status: status;
  sample: age;
  track: track_place;
  track_status: status;

procedure hp_shared(var lock: priority_lock; var s: status; var granted: boolean);
begin
  granted := !lock.exclusive;
  lock.host_priority := lock.exclusive;
  if granted then lock.shared := lock.shared + 1; else s := operand_busy; endif;
end;

procedure hp_release_shared(var lock: priority_lock);
begin
  lock.shared := lock.shared - 1;
end;

procedure enter_takes(var lock: priority_lock; granted_to: enter_place; refused_to: enter_place);
var granted: boolean;
begin
  hp_shared(lock, enter_status, granted);
  enter := granted ? granted_to : refused_to;
end;

procedure track_takes(var lock: priority_lock; granted_to: track_place; refused_to: track_place);
var granted: boolean;
begin
  hp_shared(lock, track_status, granted);
  track := granted ? granted_to : refused_to;
end;

procedure make_older(var epoch: age);
begin
  switch epoch
    case current: epoch := previous;
    case previous: epoch := older;
  endswitch;
end;

startstate "the TD is finalized, the vCPU was never entered"
begin
  clear pamt_1g; clear pamt_2m; clear pamt_tdr; clear pamt_tdvpr; clear op_state_lock; clear epoch_lock;
  clear running;
  vcpu_epoch := never;
  sample := never;
  enter := e_pamt_1g; enter_status := ok;
  track := t_pamt_1g; track_status := ok;
  vcpu_active := false; left_by_vmcall := false; lp_rip_recorded := false; lp_last_vcpu := false; lp_in_guest := false;
end;

rule "TDH.VP.ENTER, the guest, TD exit"
begin
  switch enter
    case e_pamt_1g: enter_takes(pamt_1g, e_pamt_2m, e_pamt_1g);
    case e_pamt_2m: enter_takes(pamt_2m, e_pamt_4k, e_drop_1g);
    case e_pamt_4k: enter_takes(pamt_tdvpr, e_tdr, e_drop_2m);
    case e_tdr: enter_takes(pamt_tdr, e_op_state, e_drop_4k);
    case e_op_state: enter_takes(op_state_lock, e_associate, e_drop_tdr);
    case e_associate: assert !vcpu_active "the vCPU is ready"; enter := e_count;
    case e_count: enter := e_epoch;
    case e_epoch:
      if epoch_lock.exclusive then
        enter_status := operand_busy;
        enter := e_drop_op_state;
      else
        epoch_lock.shared := epoch_lock.shared + 1;
        enter := e_sample;
      endif;
    case e_sample: sample := current; enter := e_running;
    case e_running: assert sample = current "TD_EPOCH stands still under its lock"; running[sample] := running[sample] + 1; enter := e_epoch_off;
    case e_epoch_off:
      epoch_lock.shared := epoch_lock.shared - 1;
      vcpu_epoch := sample;
      sample := never;
      lp_rip_recorded := true;
      enter := e_tree;
    case e_tree: enter := e_translate;
    case e_translate: enter := e_op_state_off;
    case e_op_state_off:
      hp_release_shared(op_state_lock);
      lp_last_vcpu := true;
      vcpu_active := true;
      enter := e_tree_off;
    case e_tree_off: enter := e_vm_entry;
    case e_vm_entry: lp_in_guest := true; enter := e_guest;
    case e_guest: vcpu_active := false; left_by_vmcall := true; enter := e_exit_count;
    case e_exit_count: running[vcpu_epoch] := running[vcpu_epoch] - 1; lp_in_guest := false; enter := e_exit_tdr;
    case e_exit_tdr: hp_release_shared(pamt_tdr); enter := e_exit_4k;
    case e_exit_4k: hp_release_shared(pamt_tdvpr); enter := e_exit_2m;
    case e_exit_2m: hp_release_shared(pamt_2m); enter := e_exit_1g;
    case e_exit_1g: hp_release_shared(pamt_1g); enter := e_pamt_1g;
    case e_drop_op_state: hp_release_shared(op_state_lock); enter := e_drop_tdr;
    case e_drop_tdr: hp_release_shared(pamt_tdr); enter := e_drop_4k;
    case e_drop_4k: hp_release_shared(pamt_tdvpr); enter := e_drop_2m;
    case e_drop_2m: hp_release_shared(pamt_2m); enter := e_drop_1g;
    case e_drop_1g: hp_release_shared(pamt_1g); enter_status := ok; enter := e_pamt_1g;
  endswitch;
end;

rule "TDH.MEM.TRACK"
  var kept: readers;
begin
  switch track
    case t_pamt_1g: track_takes(pamt_1g, t_pamt_2m, t_pamt_1g);
    case t_pamt_2m: track_takes(pamt_2m, t_pamt_4k, t_drop_1g);
    case t_pamt_4k: track_takes(pamt_tdr, t_op_state, t_drop_2m);
    case t_op_state: track_takes(op_state_lock, t_epoch, t_drop_4k);
    case t_epoch:
      if epoch_lock.exclusive | epoch_lock.shared > 0 then
        track_status := operand_busy;
        track := t_drop_op_state;
      else
        epoch_lock.exclusive := true;
        track := t_check;
      endif;
    case t_check:
      if running[previous] > 0 then
        track_status := previous_tlb_epoch_busy;
        track := t_drop_epoch;
      else
        track := t_advance;
      endif;
    case t_advance:
      kept := running[previous];
      running[previous] := running[current];
      running[current] := kept;
      make_older(vcpu_epoch);
      make_older(sample);
      track := t_drop_epoch;
    case t_drop_epoch: epoch_lock.exclusive := false; track := t_drop_op_state;
    case t_drop_op_state: hp_release_shared(op_state_lock); track := t_drop_4k;
    case t_drop_4k: hp_release_shared(pamt_tdr); track := t_drop_2m;
    case t_drop_2m: hp_release_shared(pamt_2m); track := t_drop_1g;
    case t_drop_1g: hp_release_shared(pamt_1g); track_status := ok; track := t_pamt_1g;
  endswitch;
end;

-- The cases of the Promela twin.
cover "1" enter_status = operand_busy;
cover "2" track_status = operand_busy;
cover "3" track_status = previous_tlb_epoch_busy;
