// The part of FsCheck.Xunit that these tests use, with its names and its option names: FsCheck.Xunit is not in every
// registry that this project is built from. Where it is, delete this file and reference the package.
using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace FsCheck.Xunit;

/// <summary>
/// Runs a method on generated arguments. It may return nothing (an exception is a failure), a bool, or an FsCheck
/// <see cref="Property"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("FsCheck.Xunit.PropertyDiscoverer", "TdxVerify.Tests")]
public sealed class PropertyAttribute : FactAttribute
{
    /// <summary>How many times the property has to hold.</summary>
    public int MaxTest { get; set; } = Config.Default.MaxTest;

    /// <summary>How many generated arguments may be rejected by a condition before the property counts as exhausted.</summary>
    public int MaxRejected { get; set; } = Config.Default.MaxRejected;

    /// <summary>The size of the first generated arguments.</summary>
    public int StartSize { get; set; } = Config.Default.StartSize;

    /// <summary>The size of the last generated arguments.</summary>
    public int EndSize { get; set; } = Config.Default.EndSize;

    /// <summary>What a failure printed: <c>(seed,gamma)</c> repeats the run, <c>(seed,gamma,size)</c> its last step.</summary>
    public string? Replay { get; set; }

    /// <summary>Types whose static members give the generators; a later type hides what an earlier one gives.</summary>
    public Type[] Arbitrary { get; set; } = [];

    /// <summary>Prints every generated argument and every shrink.</summary>
    public bool Verbose { get; set; }

    /// <summary>Prints nothing about a property that holds.</summary>
    public bool QuietOnSuccess { get; set; }

    internal Config ToConfig(IRunner runner)
    {
        Config chattiness = Verbose ? Config.Verbose : Config.Default;
        return chattiness
            .WithMaxTest(MaxTest)
            .WithMaxRejected(MaxRejected)
            .WithStartSize(StartSize)
            .WithEndSize(EndSize)
            .WithReplay(Replay is null ? FSharpOption<Replay>.None : ParseReplay(Replay))
            .WithArbitrary(Arbitrary)
            .WithQuietOnSuccess(QuietOnSuccess)
            .WithRunner(runner);
    }

    private static Replay ParseReplay(string text)
    {
        string[] parts = text.Trim('(', ')').Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length is not (2 or 3))
            throw new ArgumentException($"Replay = \"{text}\" is neither (seed,gamma) nor (seed,gamma,size)");
        var random = new Rnd(ulong.Parse(parts[0], CultureInfo.InvariantCulture), ulong.Parse(parts[1], CultureInfo.InvariantCulture));
        return new Replay(random, parts.Length == 3 ? int.Parse(parts[2], CultureInfo.InvariantCulture) : FSharpOption<int>.None);
    }
}

/// <summary>A property was falsified, or exhausted its arguments. The message is FsCheck's.</summary>
public sealed class PropertyFailedException(string message, Exception? innerException) : Exception(message, innerException);

/// <summary>Makes one test case of each method with <see cref="PropertyAttribute"/>.</summary>
public sealed class PropertyDiscoverer(IMessageSink diagnosticMessageSink) : IXunitTestCaseDiscoverer
{
    /// <inheritdoc/>
    public IEnumerable<IXunitTestCase> Discover(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
    [
        new PropertyTestCase(
            diagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod),
    ];
}

/// <summary>A property as xunit's test case.</summary>
public sealed class PropertyTestCase : XunitTestCase
{
    /// <summary>For xunit, which reads a serialized test case into it.</summary>
    [Obsolete("Called by the de-serializer only.", error: true)]
    public PropertyTestCase()
    {
    }

    /// <summary>A property.</summary>
    public PropertyTestCase(IMessageSink sink, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method)
        : base(sink, display, options, method)
    {
    }

    /// <inheritdoc/>
    public override Task<RunSummary> RunAsync(
        IMessageSink diagnosticMessageSink, IMessageBus messageBus, object[] constructorArguments, ExceptionAggregator aggregator,
        CancellationTokenSource cancellationTokenSource) =>
        new CaseRunner(this, constructorArguments, messageBus, aggregator, cancellationTokenSource).RunAsync();

    private sealed class CaseRunner(
        PropertyTestCase testCase, object[] constructorArguments, IMessageBus bus, ExceptionAggregator aggregator, CancellationTokenSource cancellation)
        : XunitTestCaseRunner(testCase, testCase.DisplayName, testCase.SkipReason, constructorArguments, [], bus, aggregator, cancellation)
    {
        protected override XunitTestRunner CreateTestRunner(
            ITest test, IMessageBus messageBus, Type testClass, object[] constructorArguments, MethodInfo testMethod, object[] testMethodArguments,
            string skipReason, IReadOnlyList<BeforeAfterTestAttribute> beforeAfterAttributes, ExceptionAggregator aggregator,
            CancellationTokenSource cancellationTokenSource) =>
            new PropertyRunner(
                test, messageBus, testClass, constructorArguments, testMethod, skipReason, beforeAfterAttributes, aggregator, cancellationTokenSource);
    }

    private sealed class PropertyRunner(
        ITest test, IMessageBus bus, Type testClass, object[] constructorArguments, MethodInfo method, string skipReason,
        IReadOnlyList<BeforeAfterTestAttribute> attributes, ExceptionAggregator aggregator, CancellationTokenSource cancellation)
        : XunitTestRunner(test, bus, testClass, constructorArguments, method, [], skipReason, attributes, aggregator, cancellation)
    {
        private readonly StringBuilder _output = new();

        protected override async Task<Tuple<decimal, string>> InvokeTestAsync(ExceptionAggregator aggregator)
        {
            (decimal time, string written) = await base.InvokeTestAsync(aggregator);
            return Tuple.Create(time, written + _output);
        }

        protected override Task<decimal> InvokeTestMethodAsync(ExceptionAggregator aggregator) =>
            new Invoker(
                Test, MessageBus, TestClass, ConstructorArguments, TestMethod, BeforeAfterAttributes, aggregator, CancellationTokenSource, _output).RunAsync();
    }

    private sealed class Invoker(
        ITest test, IMessageBus bus, Type testClass, object[] constructorArguments, MethodInfo method, IReadOnlyList<BeforeAfterTestAttribute> attributes,
        ExceptionAggregator aggregator, CancellationTokenSource cancellation, StringBuilder output)
        : XunitTestInvoker(test, bus, testClass, constructorArguments, method, [], attributes, aggregator, cancellation)
    {
        protected override async Task<decimal> InvokeTestMethodAsync(object testClassInstance)
        {
            await Aggregator.RunAsync(() => Timer.AggregateAsync(() => Task.Run(() => Check(testClassInstance))));
            return Timer.Total;
        }

        private void Check(object? instance)
        {
            PropertyAttribute options = TestMethod.GetCustomAttribute<PropertyAttribute>()!;
            FsCheck.Check.Method(options.ToConfig(new Reporter(output, options)), TestMethod, instance is null ? FSharpOption<object>.None : instance);
        }
    }

    private sealed class Reporter(StringBuilder output, PropertyAttribute options) : IRunner
    {
        public void OnStartFixture(Type t)
        {
        }

        public void OnArguments(int ntest, FSharpList<object> args, FSharpFunc<int, FSharpFunc<FSharpList<object>, string>> every) =>
            output.Append(every.Invoke(ntest).Invoke(args));

        public void OnShrink(FSharpList<object> args, FSharpFunc<FSharpList<object>, string> everyShrink) =>
            output.Append(everyShrink.Invoke(args));

        public void OnFinished(string name, TestResult result)
        {
            string text = Runner.onFinishedToString("", result);
            if (result is not TestResult.Passed passed)
                throw new PropertyFailedException("\n" + text, (result as TestResult.Failed)?.Item4 is Outcome.Failed failed ? failed.Item : null);
            if (!options.QuietOnSuccess && !passed.Item2)
                output.AppendLine(text);
        }
    }
}
