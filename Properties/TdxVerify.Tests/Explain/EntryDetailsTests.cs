using TdxVerify.Properties.Explain;
using Xunit;

namespace TdxVerify.Tests.Explain;

public sealed class EntryDetailsTests
{
    [Theory]
    [InlineData(0x8000000000000000, 0x0, "FREE at level 0 (4 KiB), ---")]
    [InlineData(0x80000001f2a3c0f7, 0x400, "MAPPED at level 0 (4 KiB), RWX, HPA 0x1f2a3c000")]
    [InlineData(0x80000001f2a000f0, 0x101, "BLOCKED at level 1 (2 MiB), ---, HPA 0x1f2a00000")]
    [InlineData(0x80000001f2a000f0, 0x201, "PENDING at level 1 (2 MiB), ---, HPA 0x1f2a00000")]
    [InlineData(0x7, 0x8402, "NL_MAPPED at level 2 (1 GiB), RWX")]
    [InlineData(0x8000000000000000, 0x8103, "NL_BLOCKED at level 3 (512 GiB), ---")]
    [InlineData(0x80000001f2a3c0f5, 0x800, "BLOCKEDW at level 0 (4 KiB), R-X, HPA 0x1f2a3c000")]
    [InlineData(0x8000000000000000, 0x14000, "L2_FREE of L2 VM 1 at level 0 (4 KiB), ---")]
    [InlineData(0x0, 0x7f04, "unknown state 0x7f at level 4 (256 TiB), ---")]
    public void RCX_and_RDX_are_read_as_the_S_EPT_entry(ulong rcx, ulong rdx, string expected) =>
        Assert.Equal(expected, SeptEntryDetails.Decode(rcx, rdx)?.ToString());

    [Fact]
    public void Zeros_are_no_S_EPT_entry() => Assert.Null(SeptEntryDetails.Decode(0, 0));

    [Theory]
    [InlineData("TDH.MEM.PAGE.AUG", true)]
    [InlineData("TDH.MEM.SEPT.RD", true)]
    [InlineData("TDH.MEM.TRACK", false)]
    [InlineData("TDH.VP.ENTER", false)]
    [InlineData("TDH.PHYMEM.PAGE.RECLAIM", false)]
    public void Only_leaves_with_an_S_EPT_operand_report_an_entry(string leaf, bool reports) =>
        Assert.Equal(reports, SeptEntryDetails.IsReportedBy(leaf));

    [Theory]
    [InlineData(3, 0x107c6000, 1, "PT_REG, 2 MiB, owned by the TD with TDR 0x107c6000")]
    [InlineData(4, 0, 0, "PT_TDR, 4 KiB, no owner")]
    [InlineData(7, 0, 0, "unknown page type 7, 4 KiB, no owner")]
    public void RCX_RDX_and_R8_are_read_as_the_PAMT_entry(ulong rcx, ulong rdx, ulong r8, string expected) =>
        Assert.Equal(expected, PamtEntryDetails.Decode(rcx, rdx, r8)?.ToString());

    [Fact]
    public void Zeros_are_no_PAMT_entry() => Assert.Null(PamtEntryDetails.Decode(0, 0, 0));
}
