using TdxVerify.Hardware.Trace;
using Xunit;

namespace TdxVerify.Tests.Hardware;

/// <summary>Whatever bytes a file holds, the reader gives events or one <see cref="TraceException"/>.</summary>
public class TraceFuzzTests
{
    private const int Seed = 20240517;
    private const int PlainRounds = 3000;
    private const int GzipRounds = 1000;

    // Together these have every kind of event.
    private static readonly string[] s_names = ["held-locks", "epoch-tracking", "interrupted-accept", "concurrent-mem"];

    [Fact]
    public void A_mutated_recording_gives_events_or_one_error()
    {
        byte[][] recordings = [.. s_names.Select(FirstSequence)];
        var random = new Random(Seed);
        var outcomes = new Outcomes();
        for (int round = 0; round < PlainRounds; round++)
        {
            byte[] mutated = Mutate(recordings[round % recordings.Length], random);
            outcomes.Count(() => TraceText.Read(mutated), round);
        }

        outcomes.AssertBothOccurred();
    }

    [Fact]
    public void A_mutated_compressed_recording_gives_events_or_one_error()
    {
        byte[] recording = TraceReaderTests.Gzip(FirstSequence("held-locks"));
        using var folder = new TemporaryFolder();
        var random = new Random(Seed);
        var outcomes = new Outcomes();
        for (int round = 0; round < GzipRounds; round++)
        {
            string path = folder.Write("mutated.gz", Mutate(recording, random));
            outcomes.Count(() => TraceFile.Load(path), round);
        }

        outcomes.AssertBothOccurred();
    }

    private static byte[] FirstSequence(string name)
    {
        TraceFile trace = TraceFile.Load(RepositoryFiles.Recording(name));
        return TraceText.Write(trace.Header, trace.Sequences[0].Events);
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        var mutated = new List<byte>(bytes);
        for (int count = random.Next(1, 5); count > 0 && mutated.Count > 0; count--)
        {
            int at = random.Next(mutated.Count);
            int length = Math.Min(random.Next(1, 30), mutated.Count - at);
            switch (random.Next(7))
            {
                case 0:
                    mutated[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    mutated[at] = (byte)random.Next(256);
                    break;
                case 2:
                    // A digit for a digit keeps the JSON intact and damages a value.
                    at = mutated.FindIndex(at, b => b is >= (byte)'0' and <= (byte)'9');
                    if (at >= 0)
                        mutated[at] = (byte)"0123456789abcdefx-.e\""[random.Next(21)];
                    break;
                case 3:
                    mutated.RemoveRange(at, length);
                    break;
                case 4:
                    mutated.InsertRange(at, mutated.GetRange(random.Next(mutated.Count - length + 1), length));
                    break;
                case 5:
                    mutated.InsertRange(at, Enumerable.Range(0, length).Select(_ => (byte)random.Next(256)));
                    break;
                default:
                    if (random.Next(4) == 0)
                        mutated.RemoveRange(at, mutated.Count - at);
                    break;
            }
        }

        return [.. mutated];
    }

    private sealed class Outcomes
    {
        private int _read;
        private int _refused;

        public void Count(Action read, int round)
        {
            try
            {
                read();
                _read++;
            }
            catch (TraceException error)
            {
                Assert.DoesNotContain(error.Message, char.IsControl);
                _refused++;
            }
            catch (Exception error)
            {
                Assert.Fail($"Seed {Seed}, round {round}: {error}");
            }
        }

        public void AssertBothOccurred()
        {
            Assert.True(_read > 0, "no mutated recording was readable");
            Assert.True(_refused > 0, "no mutated recording was refused");
        }
    }
}
