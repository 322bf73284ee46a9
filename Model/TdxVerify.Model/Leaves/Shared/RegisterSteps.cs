using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>Steps about the registers of the call.</summary>
internal static class RegisterSteps<S>
    where S : struct, IState
{
    /// <summary>Clears output registers; the argument is a bitmap of <see cref="Register"/> numbers.</summary>
    public static void Clear(ref S s, ref Call c, int registers)
    {
        if ((registers & (1 << (int)Register.Rcx)) != 0)
            c.Out.Rcx = 0;
        if ((registers & (1 << (int)Register.Rdx)) != 0)
            c.Out.Rdx = 0;
        if ((registers & (1 << (int)Register.R8)) != 0)
            c.Out.R8 = 0;
        if ((registers & (1 << (int)Register.R9)) != 0)
            c.Out.R9 = 0;
        if ((registers & (1 << (int)Register.R10)) != 0)
            c.Out.R10 = 0;
        if ((registers & (1 << (int)Register.R11)) != 0)
            c.Out.R11 = 0;
    }

    /// <summary>The version (RAX bits 23:16) is at most this.</summary>
    public static bool VersionAtMost(ref S s, ref Call c, int version) => LeafNames.Version(c.In.Rax) <= version;

    /// <summary>A choice point goes well.</summary>
    public static bool ChoiceHolds(ref S s, ref Call c, int choice) => (c.Choices >> choice & 1) == 0;
}
