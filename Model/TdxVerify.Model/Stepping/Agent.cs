using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>Where an agent is between the start and the end of its call.</summary>
public enum AgentPhase : byte
{
    /// <summary>It makes no call.</summary>
    Idle,

    /// <summary>A SEAMCALL: the dispatcher's checks.</summary>
    HostDispatch,

    /// <summary>A SEAMCALL: the leaf.</summary>
    HostLeaf,

    /// <summary>In the guest, its operation not begun.</summary>
    InGuest,

    /// <summary>In the guest: an access to memory.</summary>
    GuestAccess,

    /// <summary>In the guest: TDG.VP.VEINFO.GET after a #VE.</summary>
    VeInfo,

    /// <summary>In the guest: the checks of the TDCALL dispatcher.</summary>
    GuestDispatch,

    /// <summary>In the guest: the TDCALL.</summary>
    GuestLeaf,

    /// <summary>In the guest: the TDG.VP.VMCALL by which it leaves.</summary>
    Vmcall,

    /// <summary>TD exit.</summary>
    Exit,

    /// <summary>The call has ended: <see cref="Agent.Answer"/> is what the host sees.</summary>
    Ended,

    /// <summary>The module has halted: no call ends any more.</summary>
    Halted,

    /// <summary>The call asks for something that is not modelled.</summary>
    NotModelled,
}

/// <summary>
/// A logical processor with at most one call in flight. Everything that the call has found out so far is in here, the
/// rest in the shared state: a copy of both is a point from which to go on.
/// </summary>
public struct Agent
{
    /// <summary>The call: registers and locals.</summary>
    public Call Call;

    /// <summary>What the host sees, once <see cref="Phase"/> is <see cref="AgentPhase.Ended"/>.</summary>
    public RegisterFile Answer;

    /// <summary>Where it is.</summary>
    public AgentPhase Phase;

    /// <summary>The list of steps that it carries out: its place in <see cref="LeafSet{S}.All"/>.</summary>
    public short List;

    /// <summary>The next step of that list.</summary>
    public short Step;

    /// <summary>A call is in flight.</summary>
    public readonly bool IsBusy => Phase is not (AgentPhase.Idle or AgentPhase.Ended or AgentPhase.NotModelled);

    /// <summary>A call is in flight and can go on.</summary>
    public readonly bool CanStep => IsBusy && Phase != AgentPhase.Halted;

    /// <summary>The call is past the VM entry.</summary>
    public readonly bool IsInGuest => Phase is >= AgentPhase.InGuest and <= AgentPhase.Exit;
}
