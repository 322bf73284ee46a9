using TdxVerify.Abi;
using TdxVerify.Properties.Explain;
using Xunit;

namespace TdxVerify.Tests.Explain;

public sealed class StatusParserTests
{
    [Theory]
    [InlineData("0x8000020000000092", 0x8000020000000092)]
    [InlineData("0X8000020000000092", 0x8000020000000092)]
    [InlineData(" 0x8000_0200_0000_0092 ", 0x8000020000000092)]
    [InlineData("8000020000000092", 0x8000020000000092)]
    [InlineData("c0000b0d00000001", 0xC0000B0D00000001)]
    [InlineData("C0000B0D00000001", 0xC0000B0D00000001)]
    [InlineData("0000030200000000", 0x0000030200000000)]
    [InlineData("9223374235878031506", 0x8000020000000092)]
    [InlineData("-9223369837831520110", 0x8000020000000092)]
    [InlineData("48", 48)]
    [InlineData("0x30", 48)]
    [InlineData("0", 0)]
    [InlineData("8000FF00FFFF0000", 0x8000FF00FFFF0000)]
    [InlineData("TDX_OPERAND_BUSY(SEPT_TREE)", 0x8000020000000092)]
    [InlineData("TDX_OPERAND_BUSY|TD_EPOCH", 0x80000200000000A9)]
    [InlineData("TDX_OPERAND_BUSY | TD_EPOCH", 0x80000200000000A9)]
    [InlineData("tdx_operand_busy ( td_epoch )", 0x80000200000000A9)]
    [InlineData("OPERAND_BUSY|RCX", 0x8000020000000001)]
    [InlineData("TDX_OPERAND_BUSY(0x92)", 0x8000020000000092)]
    [InlineData("TDX_OPERAND_BUSY(146)", 0x8000020000000092)]
    [InlineData("TDX_PAGE_SIZE_MISMATCH(level 1)", 0xC0000B0B00000001)]
    [InlineData("TDX_SUCCESS(exit reason 48)", 48)]
    [InlineData("TDX_SUCCESS(EPT_VIOLATION)", 48)]
    public void A_status_is_read_in_every_form_that_people_write(string text, ulong expected)
    {
        Assert.True(StatusParser.TryParse(text, out StatusQuery query, out string problem), problem);
        Assert.Equal((expected, false), (query.Status.Value, query.AnyDetails));
    }

    [Theory]
    [InlineData("TDX_OPERAND_BUSY", 0x8000020000000000)]
    [InlineData("operand_invalid", 0xC000010000000000)]
    public void A_bare_name_asks_about_every_operand(string text, ulong expected)
    {
        Assert.True(StatusParser.TryParse(text, out StatusQuery query, out _));
        Assert.Equal((expected, true), (query.Status.Value, query.AnyDetails));
        Assert.True(query.Matches(expected | 0x92));
    }

    [Theory]
    [InlineData("TDX_OPERAND_BUZY", "did you mean TDX_OPERAND_BUSY?")]
    [InlineData("TDX_OPERAND_BUSY|SEPT_TRE", "did you mean SEPT_TREE?")]
    [InlineData("TDX_OPERAND_BUSY(FOO)", "'FOO' is no operand of TDX_OPERAND_BUSY")]
    [InlineData("0xzz", "is no hexadecimal number")]
    [InlineData("0x", "is no hexadecimal number")]
    [InlineData("0x11112222333344445", "has more than 64 bits")]
    [InlineData("fffff2222333344445", "has more than 64 bits")]
    [InlineData("99999999999999999999", "has more than 64 bits")]
    [InlineData("hello", "'hello' is no TDX status")]
    [InlineData("", "is no TDX status")]
    public void What_is_no_status_is_refused_with_the_nearest_name(string text, string expected)
    {
        Assert.False(StatusParser.TryParse(text, out _, out string problem));
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_printed_name_can_be_read_back()
    {
        int read = 0;
        foreach (StatusInfo row in StatusTable.Rows.Where(row => (row.Value & uint.MaxValue) == 0))
        {
            foreach (uint details in DetailsOf(row.Value))
            {
                ulong status = row.Value | details;
                Assert.True(StatusParser.TryParse(StatusTable.NameOf(status), out StatusQuery query, out string problem), problem);
                Assert.Equal(status, query.Status.Value);
                read++;
            }
        }

        Assert.True(read > 5000, $"only {read} names were read");
    }

    private static IEnumerable<uint> DetailsOf(ulong status) => StatusTable.DetailOf(status) == StatusDetail.Operand
        ? Enum.GetValues<OperandId>().Select(id => (uint)id).Append(0x12345u)
        : [0, 1, 2, 48, 0x1A0];
}
