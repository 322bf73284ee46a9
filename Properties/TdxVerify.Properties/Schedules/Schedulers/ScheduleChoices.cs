using TdxVerify.Properties.Choices;

namespace TdxVerify.Properties.Schedules.Schedulers;

/// <summary>The choices of one schedule: values of the stream that the calls come from, behind its operations.</summary>
/// <param name="stream">The stream.</param>
/// <param name="schedule">Which of the schedules of the same calls.</param>
public sealed class ScheduleChoices(ChoiceStream stream, int schedule)
{
    private const int MostChoicesBits = 32;

    private ulong _position = (ulong)schedule << MostChoicesBits;

    /// <summary>A raw value.</summary>
    public ulong Next() => stream.Behind(_position++);

    /// <summary>A number below <paramref name="count"/>.</summary>
    public int Below(int count) => (int)(Next() % (uint)count);
}
