using TdxVerify.Abi;
using TdxVerify.Hardware.Native;
using TdxVerify.Model;
using TdxVerify.Reference;

namespace TdxVerify.Properties.Targets;

/// <summary>An implementation that a user names: <c>model</c>, <c>reference</c>, or <c>native:PATH.so</c>.</summary>
public sealed record PortTarget
{
    private const string NativePrefix = "native:";

    private readonly Func<PlatformInfo, IPort> _open;

    private PortTarget(string name, int maxOpen, Func<PlatformInfo, IPort> open)
    {
        Name = name;
        MaxOpen = maxOpen;
        _open = open;
    }

    /// <summary>The declared model.</summary>
    public static PortTarget Model { get; } = new("model", 4, platform => ModelPorts.Fast(platform));

    /// <summary>The independent reference implementation.</summary>
    public static PortTarget Reference { get; } = new("reference", 4, OpenReference);

    /// <summary>As the user names it.</summary>
    public string Name { get; }

    /// <summary>How many ports may reasonably be open at once: each has memory for a platform, and a library may have only one.</summary>
    public int MaxOpen { get; }

    /// <summary>Finds a target by its name.</summary>
    /// <exception cref="InputException">There is no such target.</exception>
    public static PortTarget Parse(string name)
    {
        if (name == Model.Name)
            return Model;
        if (name == Reference.Name)
            return Reference;
        if (!name.StartsWith(NativePrefix, StringComparison.Ordinal))
            throw new InputException($"--target: there is no target '{name}'; it is model, reference, or native:PATH.so");
        string path = name[NativePrefix.Length..];
        return path.Length > 0
            ? new PortTarget(name, 1, platform => NativePort.Open(path, platform))
            : throw new InputException("--target: native: needs the path of a shared library, as in native:./module.so");
    }

    /// <summary>Opens the implementation on a fresh platform.</summary>
    /// <param name="platform">The platform. A native library has its own, and takes from here what it does not say.</param>
    /// <exception cref="InputException">It cannot be opened, or cannot have this platform.</exception>
    public IPort Open(PlatformInfo platform) => _open(platform);

    private static ReferencePort OpenReference(PlatformInfo platform)
    {
        try
        {
            return new ReferencePort(platform);
        }
        catch (ArgumentException e)
        {
            throw new InputException(e.Message, e);
        }
    }
}
