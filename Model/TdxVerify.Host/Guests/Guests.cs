using TdxVerify.Abi;

namespace TdxVerify.Host;

/// <summary>Guests that configurations let run.</summary>
public static class Guests
{
    private const string Touched = "touched its page";

    /// <summary>Reads a page again and again; accepts it when a #VE says that it is pending.</summary>
    public static GuestCode Reads(int gpa) => GuestCode.Named($"reads gpa{gpa}, accepts it on #VE")
        .At("read", GuestOp.Read(gpa))
            .On(When.VirtualizationException, "accept")
            .Otherwise("read").Progress(Touched)
        .At("accept", GuestOp.Accept(gpa)).Next("read")
        .Build();

    /// <summary>Accepts a page until it is accepted, then leaves by TDG.VP.VMCALL, and so on: it never touches it.</summary>
    public static GuestCode Accepts(int gpa) => GuestCode.Named($"accepts gpa{gpa}")
        .At("accept", GuestOp.Accept(gpa))
            .On(When.Busy, "accept")
            .Otherwise("leave").Progress("accepted its page")
        .At("leave", GuestOp.Vmcall).Next("accept")
        .Build();

    /// <summary>Accepts a page once, then leaves by TDG.VP.VMCALL for ever.</summary>
    public static GuestCode AcceptsOnce(int gpa) => GuestCode.Named($"accepts gpa{gpa} once")
        .At("accept", GuestOp.Accept(gpa))
            .On(When.Busy, "accept")
            .Otherwise("leave").Progress("accepted its page")
        .At("leave", GuestOp.Vmcall).Next("leave").Progress("left")
        .Build();

    /// <summary>Accepts a page, then reads it again and again: it never touches a pending page unless the host takes the page away.</summary>
    public static GuestCode AcceptsThenReads(int gpa) => GuestCode.Named($"accepts gpa{gpa}, then reads it")
        .At("accept", GuestOp.Accept(gpa))
            .On(When.Busy, "accept")
            .Otherwise("read").Progress("accepted its page")
        .At("read", GuestOp.Read(gpa)).Next("read").Progress(Touched)
        .Build();

    /// <summary>Reads a page that it never accepts.</summary>
    public static GuestCode TouchesUnaccepted(int gpa) => GuestCode.Named($"reads gpa{gpa} without accepting it")
        .At("read", GuestOp.Read(gpa)).Next("read").Progress(Touched)
        .Build();

    /// <summary>One instruction that touches two pages; accepts what is pending.</summary>
    public static GuestCode ReadsTwo(int first, int second) => GuestCode.Named($"reads gpa{first} and gpa{second} in one instruction")
        .At("first", GuestOp.Read(first))
            .On(When.VirtualizationException, "accept first")
            .Otherwise("second")
        .At("second", GuestOp.Read(second), sameInstructionAs: "first")
            .On(When.VirtualizationException, "accept second")
            .Otherwise("first").Progress(Touched)
        .At("accept first", GuestOp.Accept(first)).Next("first")
        .At("accept second", GuestOp.Accept(second)).Next("first")
        .Build();

    /// <summary>Accepts one page in a loop, whatever it is told: to be in the way.</summary>
    public static GuestCode AcceptsInALoop(int gpa) => GuestCode.Named($"accepts gpa{gpa} in a loop")
        .At("accept", GuestOp.Accept(gpa)).Next("accept")
        .Build();

    /// <summary>Reads the attributes of a page in a loop.</summary>
    public static GuestCode ReadsAttributes(int gpa) => GuestCode.Named($"reads the attributes of gpa{gpa} in a loop")
        .At("read", GuestOp.AttrRd(gpa))
            .On(When.Busy, "read")
            .Otherwise("read").Progress("read attributes")
        .Build();

    /// <summary>Accepts a 2 MiB page by a 4 KiB page of it, and reads it.</summary>
    public static GuestCode AcceptsSmall(int gpa) => GuestCode.Named($"accepts 4 KiB of the 2 MiB page gpa{gpa}")
        .At("accept", GuestOp.Accept(gpa))
            .On(When.Busy, "accept")
            .Otherwise("leave").Progress("accepted its page")
        .At("leave", GuestOp.Vmcall).Next("accept")
        .Build();

    /// <summary>Accepts a 2 MiB page as one.</summary>
    public static GuestCode AcceptsLarge(int gpa) => GuestCode.Named($"accepts the 2 MiB page gpa{gpa}")
        .At("accept", GuestOp.Accept(gpa, SeptLevel.Page2M))
            .On(When.Busy, "accept")
            .Otherwise("leave").Progress("accepted its page")
        .At("leave", GuestOp.Vmcall).Next("accept")
        .Build();
}
