using TdxVerify.Properties.Explain;
using Xunit;

namespace TdxVerify.Tests.Explain;

public sealed class NamesTests
{
    [Theory]
    [InlineData("TDH.MEM.PAGE.AUG", "TDH.MEM.PAGE.AUG")]
    [InlineData("tdh_mem_page_aug", "TDH.MEM.PAGE.AUG")]
    [InlineData("MEM.TRACK", "TDH.MEM.TRACK")]
    [InlineData("TDG_MEM_PAGE_ACCEPT", "TDG.MEM.PAGE.ACCEPT")]
    [InlineData("TDH.MEM.PAGE", null)]
    [InlineData("", null)]
    public void A_leaf_is_found_under_the_names_of_specification_and_kernel(string text, string? expected) =>
        Assert.Equal(expected, LeafParser.Find(text));

    [Theory]
    [InlineData("tdh_phymem_page_wbinvd_hkid", "TDH.PHYMEM.PAGE.WBINVD")]
    [InlineData("TDH_MNG_KEY_CONFIG", "TDH.MNG.KEY.CONFIG")]
    [InlineData("tdh_vp_rd_failed", "TDH.VP.RD")]
    [InlineData("tdx_sept_set_private_spte", null)]
    [InlineData("tdh_do_no_vcpus", null)]
    public void A_kernel_function_names_its_leaf(string word, string? expected) =>
        Assert.Equal(expected, LeafParser.FindInMessage(word));

    [Fact]
    public void Every_leaf_is_found_in_the_kernel_spelling() =>
        Assert.All(LeafParser.Names, name =>
        {
            string kernel = name.Replace('.', '_');
            Assert.Equal(name, LeafParser.FindInMessage(kernel));
        });

    [Theory]
    [InlineData("explian", "explain")]
    [InlineData("PROPS", "props")]
    [InlineData("prop", "props")]
    [InlineData("replay", null)]
    [InlineData("", null)]
    public void The_nearest_name_is_found_if_it_is_near(string given, string? expected) =>
        Assert.Equal(expected, ClosestName.Find(given, ["explain", "props", "trace"]));
}
