using TdxVerify.Properties.Laws.Books;
using TdxVerify.Properties.Laws.Calls;

namespace TdxVerify.Properties.Laws;

/// <summary>All laws.</summary>
public static class LawBook
{
    /// <summary>Name of the law that compares the port under test with the model; the runner itself checks it.</summary>
    public const string Conformance = "conformance";

    /// <summary>New instances of all laws but conformance, in the order of reports.</summary>
    public static IReadOnlyList<Law> Create()
    {
        var judge = new CallJudge();
        var books = new RunBooks();
        var acceptance = new Acceptance(books);
        return
        [
            new FailedCallsLaw(),
            new StatusHasItsReasonLaw(judge),
            new SuccessHasItsPreconditionsLaw(judge),
            new FirstFailureWinsLaw(judge),
            new BusyIffRefusedLaw(judge),
            new SuccessHasItsEffectLaw(judge),
            new OutputsTellTheStateLaw(judge),
            new SeptAndPamtLaw(books),
            new StaleTranslationLaw(books),
            new EpochLaw(books),
            new TlbTrackingLaw(books),
            new ZeroStepLaw(),
            new AcceptedPagesLaw(books, acceptance),
            new ReaddedPagesLaw(books, acceptance),
            new TeardownLaw(books),
            new LockLaw(books),
            new LockResidueLaw(judge),
        ];
    }
}
