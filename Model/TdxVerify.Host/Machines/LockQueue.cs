namespace TdxVerify.Host;

/// <summary>
/// A kernel lock as one number: its holders and those who wait, in order of arrival, a byte each from the lowest on
/// (agent + 1 in bits 7:1, exclusive in bit 0).
/// </summary>
internal static class LockQueue
{
    private const int SlotBits = 8;
    private const ulong SlotMask = 0xFF;
    private const int Slots = 8;

    /// <summary>The agent is a holder, not a waiter.</summary>
    public static bool IsGranted(ulong queue, int agent)
    {
        for (int place = 0; place < Slots; place++)
        {
            ulong slot = Slot(queue, place);
            if (AgentOf(slot) == agent)
                return !IsWrite(slot) || place == 0;
            if (slot == 0 || IsWrite(slot))
                return false;
        }

        return false;
    }

    public static bool Contains(ulong queue, int agent)
    {
        for (int place = 0; place < Slots; place++)
        {
            if (Slot(queue, place) != 0 && AgentOf(Slot(queue, place)) == agent)
                return true;
        }

        return false;
    }

    public static ulong Join(ulong queue, int agent, bool write)
    {
        if (Contains(queue, agent))
            throw new ProgramException($"agent {agent} takes a lock that it holds.");
        for (int place = 0; place < Slots; place++)
        {
            if (Slot(queue, place) == 0)
                return queue | (((ulong)(agent + 1) << 1 | (write ? 1UL : 0)) << (place * SlotBits));
        }

        throw new ProgramException($"more than {Slots} agents use one lock.");
    }

    public static ulong Leave(ulong queue, int agent)
    {
        int place = 0;
        while (AgentOf(Slot(queue, place)) != agent)
            place++;
        ulong below = queue & ((1UL << (place * SlotBits)) - 1);
        ulong above = place == Slots - 1 ? 0 : queue >> ((place + 1) * SlotBits);
        return below | (above << (place * SlotBits));
    }

    public static bool HasWaiter(ulong queue)
    {
        for (int place = 0; place < Slots && Slot(queue, place) != 0; place++)
        {
            if (!IsGranted(queue, AgentOf(Slot(queue, place))))
                return true;
        }

        return false;
    }

    /// <summary>An agent holds the lock exclusively.</summary>
    public static bool IsWriteHeld(ulong queue) => queue != 0 && IsWrite(Slot(queue, 0));

    /// <summary>The same queue with other agents in the same places.</summary>
    public static ulong Rename(ulong queue, Func<int, int> rename)
    {
        ulong renamed = 0;
        for (int place = 0; place < Slots && Slot(queue, place) != 0; place++)
        {
            ulong slot = Slot(queue, place);
            renamed |= (((ulong)rename(AgentOf(slot)) + 1) << 1 | (slot & 1)) << (place * SlotBits);
        }

        return renamed;
    }

    private static ulong Slot(ulong queue, int place) => queue >> (place * SlotBits) & SlotMask;

    private static int AgentOf(ulong slot) => (int)(slot >> 1) - 1;

    private static bool IsWrite(ulong slot) => (slot & 1) != 0;
}
