using System.Buffers.Binary;
using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Reference;
using Xunit;

namespace TdxVerify.Tests.Parameters;

/// <summary>What TDH.MNG.INIT says of TD_PARAMS that recordings do not contain: the model and the reference alike.</summary>
public sealed class TdParamsTests
{
    private const ulong Address = 0x10000;
    private const int Attributes = 0;
    private const int MsrControl = 19;
    private const int ArchCapabilities = 224;
    private const ulong Debug = 1UL << 0;
    private const ulong Migratable = 1UL << 29;
    private const ulong Perfmon = 1UL << 63;

    public static TheoryData<string, ModuleProfile, (int Offset, ulong Value)[], ulong> Refused
    {
        get
        {
            var rows = new TheoryData<string, ModuleProfile, (int, ulong)[], ulong>();
            foreach (ModuleProfile profile in ModuleProfiles.All.Select(each => each.Profile))
            {
                foreach (string port in (string[])["model", "reference"])
                {
                    rows.Add(port, profile, [(Attributes, Migratable)], Status.TDX_SUCCESS);
                    rows.Add(port, profile, [(Attributes, Debug)], Status.TDX_SUCCESS);
                    rows.Add(port, profile, [(Attributes, Migratable | Debug)], Invalid(OperandId.ATTRIBUTES));
                    rows.Add(port, profile, [(Attributes, Migratable | Perfmon)], Invalid(OperandId.ATTRIBUTES));
                    rows.Add(port, profile, [(MsrControl, 2)], Invalid(OperandId.RDX));
                    rows.Add(port, profile, [(ArchCapabilities, 1)], Invalid(OperandId.IA32_ARCH_CAPABILITIES_CONFIG));
                    rows.Add(port, profile, [(ArchCapabilities, 1), (1023, 1)], Invalid(OperandId.RDX));
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_field_is_judged_as_the_module_does(string port, ModuleProfile profile, (int Offset, ulong Value)[] fields, ulong status)
    {
        RegisterFile registers = Init(port, profile, fields, out PortResult result);
        Assert.Equal(PortResult.Ok, result);
        Assert.Equal(new StatusCode(status).ToString(), new StatusCode(registers.Rax).ToString());
        Assert.Equal(0UL, registers.Rcx);
    }

    [Theory]
    [InlineData("model")]
    [InlineData("reference")]
    public void A_configured_IA32_ARCH_CAPABILITIES_depends_on_the_processor_and_is_not_modelled(string port)
    {
        Init(port, ModuleProfile.V1_5_01, [(MsrControl, 1), (ArchCapabilities, 1)], out PortResult result);
        Assert.Equal(PortResult.NotSupported, result);
    }

    private static ulong Invalid(OperandId operand) => Status.TDX_OPERAND_INVALID | (uint)operand;

    private static RegisterFile Init(string name, ModuleProfile profile, (int Offset, ulong Value)[] fields, out PortResult result)
    {
        var platform = new PlatformInfo { PageBase = 0x1_0000_0000, PageCount = 4096, Profile = profile };
        using IPort port = name == "model" ? ModelPorts.Fast(platform) : new ReferencePort(platform);
        ulong tdr = platform.PageBase;
        Succeed(port, HostLeaf.TDH_MNG_CREATE, tdr, (ulong)platform.HkidFirst);
        Succeed(port, HostLeaf.TDH_MNG_KEY_CONFIG, tdr, 0);
        for (int i = 1; i <= platform.TdcsPages; i++)
            Succeed(port, HostLeaf.TDH_MNG_ADDCX, tdr + ((ulong)i << Hpa.PageShift), tdr);
        port.MemoryWrite(Address, Image(fields));
        var init = new RegisterFile { Rax = (ulong)HostLeaf.TDH_MNG_INIT, Rcx = tdr, Rdx = Address };
        result = port.Seamcall(0, ref init);
        return init;
    }

    private static byte[] Image((int Offset, ulong Value)[] fields)
    {
        var image = new byte[1024];
        image[8] = 3;
        image[16] = 1;
        image[24] = 0x1E;
        image[40] = 40;
        foreach ((int offset, ulong value) in fields)
        {
            if (offset % 8 == 0)
                BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(offset), value);
            else
                image[offset] = (byte)value;
        }

        return image;
    }

    private static void Succeed(IPort port, HostLeaf leaf, ulong rcx, ulong rdx)
    {
        var registers = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx };
        Assert.Equal(PortResult.Ok, port.Seamcall(0, ref registers));
        Assert.Equal(Status.TDX_SUCCESS, registers.Rax);
    }
}
