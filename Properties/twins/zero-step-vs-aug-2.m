-- Twin of the scenario zero-step-vs-aug-2 in Murphi: two vCPUs that enter guests which read one page, at one RIP, and
-- fault; a host thread that calls TDH.MEM.PAGE.AUG for that page again and again. From facts/checks.csv,
-- facts/zerostep.md, facts/lock-types.csv. A rule is one step of an agent: one access to shared state with the local
-- work after it. Nobody calls TDH.MEM.TRACK, so the only epoch is the current one.
--
-- A shared attempt that is refused leaves no reader behind: only the exclusive release would see it, and drops it.

const
  threshold: 6;
  upper_levels: 3;

type
  vcpu: 0..1;
  readers: 0..5;
  priority_lock: record exclusive: boolean; host_priority: boolean; shared: readers; end;
  plain_lock: record exclusive: boolean; shared: readers; end;
  page_state: enum { free, pending, mapped };
  enter_status: enum { e_ok, e_busy, e_ept_violation };
  aug_status: enum { a_ok, a_busy, a_entry_state };
  enter_place: enum {
    e_pamt_1g, e_pamt_2m, e_pamt_4k, e_tdr, e_op_state, e_associate, e_count, e_epoch, e_sample, e_running, e_epoch_off,
    e_tree, e_translate, e_uncount, e_drop_tree, e_none_listed, e_op_state_off, e_tree_off, e_vm_entry, e_guest, e_module_walk,
    e_exit, e_exit_count, e_exit_tdr, e_exit_4k, e_exit_2m, e_exit_1g,
    e_drop_op_state, e_drop_tdr, e_drop_4k, e_drop_2m, e_drop_1g };
  aug_place: enum {
    a_pamt_1g, a_pamt_2m, a_pamt_4k, a_op_state, a_tree, a_walk, a_lock_entry, a_read_again, a_page_1g, a_promote_1g,
    a_page_2m, a_promote_2m, a_page_4k, a_write_entry, a_count_child, a_bepoch, a_drop_page_4k, a_drop_page_2m,
    a_drop_page_1g, a_drop_entry, a_drop_tree, a_drop_op_state, a_drop_4k, a_drop_2m, a_drop_1g };

var
  pamt_1g, pamt_2m, pamt_tdr, pamt_page, op_state_lock: priority_lock;
  epoch_lock, tree_lock: plain_lock;
  running: readers;
  entry: page_state;
  entry_locked, entry_host_priority: boolean;
  page_is_reg, page_has_bepoch, child_counted: boolean;
  vcpus: array [vcpu] of record
    pamt_tdvpr: priority_lock;
    fault_count: 0..threshold;
    fault_listed, entered, active: boolean;
    lp_rip_recorded, lp_last_vcpu, lp_in_guest: boolean;
    place: enter_place;
    level: 0..upper_levels;
    status: enter_status;
    sampled, tree_held, was_pending: boolean;
  end;
  aug: aug_place;
  aug_level: 0..upper_levels;
  status: aug_status;
  found: page_state;

function hp_shared(var lock: priority_lock): boolean;
begin
  lock.host_priority := lock.exclusive;
  if !lock.exclusive then lock.shared := lock.shared + 1; endif;
  return !lock.exclusive;
end;

procedure hp_release_shared(var lock: priority_lock);
begin
  lock.shared := lock.shared - 1;
end;

procedure enter_takes(v: vcpu; var lock: priority_lock; granted: enter_place; refused: enter_place);
begin
  if hp_shared(lock) then
    vcpus[v].place := granted;
  else
    vcpus[v].status := e_busy;
    vcpus[v].place := refused;
  endif;
end;

procedure aug_takes(var lock: priority_lock; granted: aug_place; refused: aug_place);
begin
  if hp_shared(lock) then
    aug := granted;
  else
    status := a_busy;
    aug := refused;
  endif;
end;

procedure log_fault(v: vcpu);
begin
  if vcpus[v].fault_count = threshold then
    vcpus[v].fault_listed := true;
  else
    vcpus[v].fault_count := vcpus[v].fault_count + 1;
  endif;
end;

startstate "the TD is finalized, no vCPU was ever entered, the entry is FREE"
begin
  clear pamt_1g; clear pamt_2m; clear pamt_tdr; clear pamt_page; clear op_state_lock; clear epoch_lock; clear tree_lock;
  running := 0;
  entry := free; entry_locked := false; entry_host_priority := false;
  page_is_reg := false; page_has_bepoch := false; child_counted := false;
  for v: vcpu do
    clear vcpus[v];
    vcpus[v].place := e_pamt_1g;
    vcpus[v].status := e_ok;
  endfor;
  aug := a_pamt_1g; aug_level := 0; status := a_ok; found := free;
end;

ruleset v: vcpu do
  rule "TDH.VP.ENTER, the guest, TD exit"
  begin
    alias me: vcpus[v] do
    switch me.place
      case e_pamt_1g: enter_takes(v, pamt_1g, e_pamt_2m, e_pamt_1g);
      case e_pamt_2m: enter_takes(v, pamt_2m, e_pamt_4k, e_drop_1g);
      case e_pamt_4k: enter_takes(v, me.pamt_tdvpr, e_tdr, e_drop_2m);
      case e_tdr: enter_takes(v, pamt_tdr, e_op_state, e_drop_4k);
      case e_op_state: enter_takes(v, op_state_lock, e_associate, e_drop_tdr);
      case e_associate: assert !me.active "the vCPU is ready"; me.place := e_count;
      case e_count: me.place := e_epoch;
      case e_epoch:
        assert !epoch_lock.exclusive "nobody tracks";
        epoch_lock.shared := epoch_lock.shared + 1;
        me.place := e_sample;
      case e_sample: me.sampled := true; me.place := e_running;
      case e_running: running := running + 1; me.place := e_epoch_off;
      case e_epoch_off:
        epoch_lock.shared := epoch_lock.shared - 1;
        me.entered := me.sampled;
        me.sampled := false;
        me.lp_rip_recorded := true;
        me.place := e_tree;
      case e_tree:
        if !me.fault_listed then
          me.place := e_none_listed;
        elsif tree_lock.exclusive | tree_lock.shared > 0 then
          me.status := e_busy;
          me.place := e_uncount;
        else
          tree_lock.exclusive := true;
          me.tree_held := true;
          me.place := e_translate;
        endif;
      case e_translate:
        if me.level < upper_levels then
          me.level := me.level + 1;
        else
          assert entry != mapped "nobody accepts";
          me.level := 0;
          me.status := e_ept_violation;
          me.place := e_uncount;
        endif;
      case e_uncount: running := running - 1; me.place := me.tree_held ? e_drop_tree : e_drop_op_state;
      case e_drop_tree: tree_lock.exclusive := false; me.tree_held := false; me.place := e_drop_op_state;
      case e_none_listed: me.place := e_op_state_off;
      case e_op_state_off:
        hp_release_shared(op_state_lock);
        me.lp_last_vcpu := true;
        me.active := true;
        me.place := e_tree_off;
      case e_tree_off: me.place := e_vm_entry;
      case e_vm_entry: me.lp_in_guest := true; me.place := e_guest;
      case e_guest:
        if me.level < upper_levels then
          me.level := me.level + 1;
        else
          assert entry != mapped "nobody accepts";
          me.level := 0;
          me.place := e_module_walk;
        endif;
      case e_module_walk:
        if me.level < upper_levels then
          me.level := me.level + 1;
        else
          me.level := 0;
          me.was_pending := entry = pending;
          log_fault(v);
          me.status := e_ept_violation;
          me.place := e_exit;
        endif;
      case e_exit: me.active := false; me.place := e_exit_count;
      case e_exit_count: running := running - 1; me.lp_in_guest := false; me.place := e_exit_tdr;
      case e_exit_tdr: hp_release_shared(pamt_tdr); me.place := e_exit_4k;
      case e_exit_4k: hp_release_shared(me.pamt_tdvpr); me.place := e_exit_2m;
      case e_exit_2m: hp_release_shared(pamt_2m); me.place := e_exit_1g;
      case e_exit_1g: hp_release_shared(pamt_1g); me.status := e_ok; me.was_pending := false; me.place := e_pamt_1g;
      case e_drop_op_state: hp_release_shared(op_state_lock); me.place := e_drop_tdr;
      case e_drop_tdr: hp_release_shared(pamt_tdr); me.place := e_drop_4k;
      case e_drop_4k: hp_release_shared(me.pamt_tdvpr); me.place := e_drop_2m;
      case e_drop_2m: hp_release_shared(pamt_2m); me.place := e_drop_1g;
      case e_drop_1g: hp_release_shared(pamt_1g); me.status := e_ok; me.place := e_pamt_1g;
    endswitch;
    endalias;
  end;
endruleset;

rule "TDH.MEM.PAGE.AUG"
begin
  switch aug
    case a_pamt_1g: aug_takes(pamt_1g, a_pamt_2m, a_pamt_1g);
    case a_pamt_2m: aug_takes(pamt_2m, a_pamt_4k, a_drop_1g);
    case a_pamt_4k: aug_takes(pamt_tdr, a_op_state, a_drop_2m);
    case a_op_state: aug_takes(op_state_lock, a_tree, a_drop_4k);
    case a_tree:
      if tree_lock.exclusive then
        status := a_busy;
        aug := a_drop_op_state;
      else
        tree_lock.shared := tree_lock.shared + 1;
        aug := a_walk;
      endif;
    case a_walk:
      if aug_level < upper_levels then
        aug_level := aug_level + 1;
      else
        aug_level := 0;
        found := entry;
        aug := a_lock_entry;
      endif;
    case a_lock_entry:
      entry_host_priority := entry_locked;
      if entry_locked then
        status := a_busy;
        aug := a_drop_tree;
      else
        entry_locked := true;
        found := free;
        aug := a_read_again;
      endif;
    case a_read_again:
      if entry = free then
        aug := a_page_1g;
      else
        found := entry;
        status := a_entry_state;
        aug := a_drop_entry;
      endif;
    case a_page_1g: aug_takes(pamt_1g, a_promote_1g, a_drop_entry);
    case a_promote_1g: aug := a_page_2m;
    case a_page_2m: aug_takes(pamt_2m, a_promote_2m, a_drop_page_1g);
    case a_promote_2m: aug := a_page_4k;
    case a_page_4k:
      if pamt_page.exclusive | pamt_page.shared > 0 then
        pamt_page.host_priority := true;
        status := a_busy;
        aug := a_drop_page_2m;
      else
        pamt_page.exclusive := true;
        pamt_page.host_priority := false;
        aug := a_write_entry;
      endif;
    case a_write_entry:
      assert !page_is_reg "the page is PT_NDA";
      entry := pending;
      entry_locked := false;
      entry_host_priority := false;
      aug := a_count_child;
    case a_count_child: child_counted := true; page_is_reg := true; aug := a_bepoch;
    case a_bepoch: page_has_bepoch := true; aug := a_drop_page_4k;
    case a_drop_page_4k: pamt_page.exclusive := false; aug := a_drop_page_2m;
    case a_drop_page_2m: hp_release_shared(pamt_2m); aug := a_drop_page_1g;
    case a_drop_page_1g: hp_release_shared(pamt_1g); aug := status = a_ok ? a_drop_tree : a_drop_entry;
    case a_drop_entry: entry_locked := false; aug := a_drop_tree;
    case a_drop_tree: tree_lock.shared := tree_lock.shared - 1; aug := a_drop_op_state;
    case a_drop_op_state: hp_release_shared(op_state_lock); aug := a_drop_4k;
    case a_drop_4k: hp_release_shared(pamt_tdr); aug := a_drop_2m;
    case a_drop_2m: hp_release_shared(pamt_2m); aug := a_drop_1g;
    case a_drop_1g: hp_release_shared(pamt_1g); status := a_ok; found := free; aug := a_pamt_1g;
  endswitch;
end;

-- The cases of the Promela twin.
cover "1" exists v: vcpu do vcpus[v].status = e_busy endexists;
cover "2" status = a_busy;
cover "3" entry = pending;
