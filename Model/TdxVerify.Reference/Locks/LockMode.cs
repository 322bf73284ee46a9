namespace TdxVerify.Reference;

/// <summary>How a shared/exclusive lock is taken.</summary>
internal enum LockMode : byte
{
    Shared,
    Exclusive,
}
