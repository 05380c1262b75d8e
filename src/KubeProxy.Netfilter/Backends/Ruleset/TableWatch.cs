using System.Globalization;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>What others do to one table, or to a part of the ruleset.</summary>
/// <param name="connection">Where changes are told.</param>
/// <param name="concerns">Whether a foreign change touches that part.</param>
internal sealed class TableWatch(NftablesConnection connection, Func<NftChange, bool> concerns) : IForeignChanges
{
    // Notifications are there within microseconds of the commit; a machine under load needs longer to look at them.
    private static readonly TimeSpan CatchUpTime = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private TaskCompletionSource _seen = NewSignal();
    private Action<string> _touchedCallback = _ => { };
    private uint _generation;
    private bool _touched;

    public void Start(Action<string> touched)
    {
        lock (_gate) _touchedCallback = touched;
    }

    public bool TakeTouched()
    {
        lock (_gate)
        {
            var touched = _touched;
            _touched = false;
            return touched;
        }
    }

    public async ValueTask<bool> SeenUntouchedAsync(uint generation, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(CatchUpTime);
        while (true)
        {
            Task seen;
            lock (_gate)
            {
                if (_touched) return false;
                if (_generation != 0 && !IsLater(generation, _generation)) return true;
                seen = _seen.Task;
            }

            try
            {
                await seen.WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return false;
            }
        }
    }

    public async ValueTask<CommitTurn> TakeTurnAsync(uint known, CancellationToken cancellationToken)
    {
        var end = await connection.EnterAsync(cancellationToken);
        try
        {
            if (connection.LastCommitted is { } last && IsLater(last, known)) await SeenUntouchedAsync(last, cancellationToken);
            lock (_gate) return new CommitTurn(!_touched && _generation != 0 && IsLater(_generation, known) ? _generation : known, end);
        }
        catch
        {
            end(null);
            throw;
        }
    }

    public void Pause() => connection.Pause();

    public Task ResumeAsync(uint? generation) => connection.ResumeAsync(generation);

    public ValueTask DisposeAsync()
    {
        connection.Remove(this);
        return default;
    }

    public void Tell(NftChange change)
    {
        var touched = change.Kind == NftChangeKind.Lost || (change.Kind == NftChangeKind.Foreign && concerns(change));
        Action<string> callback;
        lock (_gate)
        {
            // After a pause, notifications from before it may still come in.
            if (change.Generation is { } generation && (_generation == 0 || IsLater(generation, _generation))) _generation = generation;
            _touched |= touched;
            _seen.TrySetResult();
            _seen = NewSignal();
            callback = _touchedCallback;
        }

        if (touched) callback(Describe(change));
    }

    // Generations wrap around.
    private static bool IsLater(uint generation, uint than) => (int)(generation - than) > 0;

    private static string Describe(NftChange change) => change.Kind == NftChangeKind.Lost
        ? "notifications of nftables were lost"
        : string.Create(CultureInfo.InvariantCulture, $"the nftables table was changed by {change.ProcessName ?? "an unknown process"} (pid {change.ProcessId})");

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
