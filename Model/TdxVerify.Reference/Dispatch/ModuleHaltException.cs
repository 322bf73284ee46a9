namespace TdxVerify.Reference;

/// <summary>
/// The module found one of its own invariants broken and shuts down: no SEAMCALL on any processor is answered until
/// the platform is reset. The locks of the call that halted stay as they are.
/// </summary>
internal sealed class ModuleHaltException : Exception;
