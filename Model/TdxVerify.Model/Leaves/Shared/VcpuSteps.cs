namespace TdxVerify.Model;

/// <summary>Steps about the vCPU: its pages, state and association with a logical processor (facts/checks.md).</summary>
internal static class VcpuSteps<S>
    where S : struct, IState
{
    public const int MinimumTdvpsPages = 6;

    public static bool HasTdvpsPages(ref S s, ref Call c, int minimum) => s.Vcpu(c.Vcpu, VcpuField.Pages) >= (ulong)minimum;

    public static bool StateIn(ref S s, ref Call c, int states) => (states >> (int)s.Vcpu(c.Vcpu, VcpuField.State) & 1) != 0;

    /// <summary>Compare-exchange of the associated processor: from none to this one, or already this one.</summary>
    [Visible(Touches = Touched.Association)]
    public static bool Associate(ref S s, ref Call c, int arg)
    {
        ulong associated = s.Vcpu(c.Vcpu, VcpuField.AssociatedLp);
        c.NewAssociation = associated == 0;
        if (c.NewAssociation)
            s.SetVcpu(c.Vcpu, VcpuField.AssociatedLp, (ulong)c.Lp + 1);
        return c.NewAssociation || associated == (ulong)c.Lp + 1;
    }

    [Visible(Touches = Touched.Association)]
    public static void CountNewAssociation(ref S s, ref Call c, int arg)
    {
        if (c.NewAssociation)
            s.SetTd(c.Td, TdField.AssociatedVcpus, s.Td(c.Td, TdField.AssociatedVcpus) + 1);
    }
}
