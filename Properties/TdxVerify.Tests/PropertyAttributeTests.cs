using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Xunit;
using Xunit.Sdk;

namespace TdxVerify.Tests;

/// <summary>[Property] runs properties as FsCheck.Xunit does. The failing ones are nested, so that only these tests run them.</summary>
public sealed class PropertyAttributeTests
{
    [Property]
    public bool A_property_that_holds_passes(int left, int right) => left + right == right + left;

    [Property(Arbitrary = [typeof(OnlySeven)])]
    public bool Arbitrary_types_give_the_generators(int number) => number == 7;

    [Property(StartSize = 3, EndSize = 3, MaxTest = 50)]
    public void Sizes_limit_what_is_generated(int number) => Assert.InRange(number, -3, 3);

    [Fact]
    public async Task A_property_that_fails_shows_the_shrunk_value_and_the_seed_that_replays_it()
    {
        Run run = await Run.Of(nameof(Failing.No_number_is_above_a_hundred));

        Assert.Equal((1, 1), (run.Total, run.Failed));
        Assert.Contains("Falsifiable", run.Message, StringComparison.Ordinal);
        Assert.Contains("Shrunk:\n101", run.Message.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Matches(@"\(\d+,\d+\)", run.Message);
    }

    [Fact]
    public async Task Replay_repeats_a_run_exactly()
    {
        Run first = await Run.Of(nameof(Failing.Replayed));
        Run second = await Run.Of(nameof(Failing.Replayed));
        Run other = await Run.Of(nameof(Failing.Replayed_from_another_seed));

        Assert.Contains("(13,17)", first.Message, StringComparison.Ordinal);
        Assert.Equal(first.Message, second.Message);
        Assert.NotEqual(first.Message, other.Message);
    }

    [Fact]
    public async Task A_replay_text_that_cannot_be_read_is_a_failure_that_quotes_it()
    {
        Run run = await Run.Of(nameof(Failing.Replayed_from_nonsense));

        Assert.Contains("Replay = \"nonsense\"", run.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exception_in_a_property_is_its_failure_and_is_shown()
    {
        Run run = await Run.Of(nameof(Failing.Throws));

        Assert.Equal(1, run.Failed);
        Assert.Contains("the reason", run.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_property_whose_condition_rejects_everything_is_exhausted_and_fails()
    {
        Run run = await Run.Of(nameof(Failing.Rejects_everything));

        Assert.Contains("Arguments exhausted", run.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(nameof(Failing.Passes), true)]
    [InlineData(nameof(Failing.Passes_quietly), false)]
    public async Task A_property_that_holds_says_so_unless_it_is_quiet(string method, bool says)
    {
        Run run = await Run.Of(method);

        Assert.Equal((1, 0), (run.Total, run.Failed));
        Assert.Equal(says, run.Output.Contains("Ok, passed 20 tests", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Verbose_prints_every_argument()
    {
        Run run = await Run.Of(nameof(Failing.Verbose));

        Assert.Contains("0:", run.Output, StringComparison.Ordinal);
        Assert.Contains("4:", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_skipped_property_is_not_run()
    {
        Run run = await Run.Of(nameof(Failing.Skipped));

        Assert.Equal((1, 0, 1), (run.Total, run.Failed, run.Skipped));
    }

    /// <summary>Generates one number.</summary>
    public static class OnlySeven
    {
        public static Arbitrary<int> Int() => Gen.Constant(7).ToArbitrary();
    }

    /// <summary>Generates numbers above a thousand, which shrink as all numbers do.</summary>
    public static class Thousands
    {
        public static Arbitrary<int> Int() =>
            Arb.From(Gen.Choose(1001, 2000), number => ArbMap.Default.ArbFor<int>().Shrinker(number));
    }

    // xunit looks for tests in public types only, so it does not find these by itself: that is the point.
#pragma warning disable xUnit1000
    internal sealed class Failing
#pragma warning restore xUnit1000
    {
        [Property(Arbitrary = [typeof(Thousands)])]
        public static bool No_number_is_above_a_hundred(int number) => number <= 100;

        [Property(Replay = "(13,17)", EndSize = 1000, MaxTest = 1000)]
        public static bool Replayed(int number) => number <= 100;

        [Property(Replay = "(13,19)", EndSize = 1000, MaxTest = 1000)]
        public static bool Replayed_from_another_seed(int number) => number <= 100;

        [Property(Replay = "nonsense")]
        public static bool Replayed_from_nonsense(int number) => number == number + 0;

        [Property]
        public static void Throws(int number) => throw new InvalidOperationException($"the reason, for {number}");

        [Property]
        public static Property Rejects_everything(int number) => (number == number + 0).When(false);

        [Property(MaxTest = 20)]
        public static bool Passes(int number) => number == number + 0;

        [Property(MaxTest = 20, QuietOnSuccess = true)]
        public static bool Passes_quietly(int number) => number == number + 0;

        [Property(MaxTest = 5, Verbose = true)]
        public static bool Verbose(int number) => number == number + 0;

        [Property(Skip = "to see that it is skipped")]
        public static bool Skipped(int number) => number != number + 0;
    }

    /// <summary>What xunit reports of one of the methods above.</summary>
    private sealed record Run(int Total, int Failed, int Skipped, string Message, string Output)
    {
        public static async Task<Run> Of(string method)
        {
            var assembly = new ReflectionAssemblyInfo(typeof(Failing).Assembly);
            var type = new ReflectionTypeInfo(typeof(Failing));
            var testClass = new TestClass(new TestCollection(new TestAssembly(assembly), null, "properties"), type);
            var testMethod = new TestMethod(testClass, type.GetMethod(method, includePrivateMethod: false));
            using var bus = new CollectingBus();
            var sink = new NullMessageSink();
            using var cancellation = new CancellationTokenSource();
            var testCase = new PropertyTestCase(sink, TestMethodDisplay.Method, TestMethodDisplayOptions.None, testMethod);
            RunSummary summary = await testCase.RunAsync(sink, bus, [], new ExceptionAggregator(), cancellation);
            return new Run(summary.Total, summary.Failed, summary.Skipped, bus.Message, bus.Output);
        }
    }

    private sealed class CollectingBus : IMessageBus
    {
        public string Message { get; private set; } = "";

        public string Output { get; private set; } = "";

        public bool QueueMessage(global::Xunit.Abstractions.IMessageSinkMessage message)
        {
            if (message is global::Xunit.Abstractions.IFailureInformation failure)
                Message = string.Join('\n', failure.Messages);
            if (message is global::Xunit.Abstractions.ITestResultMessage result)
                Output = result.Output;
            return true;
        }

        public void Dispose()
        {
        }
    }
}
