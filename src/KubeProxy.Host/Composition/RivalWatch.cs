using KubeProxy.Core.Health;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>
/// What else on this node handles Services. Looks when asked, unless it looked a moment ago: each time costs the kernel some requests,
/// and a probe may come from anybody.
/// </summary>
internal sealed partial class RivalWatch(IReadOnlyList<IRivalSearch> searches, TimeProvider time, ILogger<RivalWatch> logger) : IDisposable
{
    /// <summary>How long an answer is good for, when nobody tells of a change. iptables-legacy and interfaces tell nobody.</summary>
    public static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(2);

    // A reader may stand behind a large commit on the same socket, and a probe that does not answer says less than one that knows what was so last.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly IReadOnlyList<Rival>[] _found = [.. searches.Select(_ => Array.Empty<Rival>())];
    private readonly string?[] _problems = new string?[searches.Count];
    private Task _looking = Task.CompletedTask;
    private long? _looked;
    private volatile bool _changed;

    /// <summary>A rival may have come or gone. From any thread.</summary>
    public void Recheck() => _changed = true;

    /// <summary>What is there. What cannot be seen is taken to be as it was, and logged once; so is what takes too long to be seen.</summary>
    public async Task<IReadOnlyList<Rival>> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            await LookUntilCurrentAsync(cancellationToken).WaitAsync(Patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // It goes on, and the next answer has it.
        }

        return [.. _found.SelectMany(rivals => rivals)];
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private async Task LookUntilCurrentAsync(CancellationToken cancellationToken)
    {
        while (Begin() is { } looking) await looking.WaitAsync(cancellationToken);
    }

    /// <summary>The search under way, which is begun if need be; null when what was found is good.</summary>
    private Task? Begin()
    {
        lock (_gate)
        {
            if (!_looking.IsCompleted) return _looking;
            if (!_changed && _looked is { } looked && time.GetElapsedTime(looked) < GoodFor) return null;
            _changed = false;
            return _looking = Task.Run(() => SearchAllAsync(_stop.Token));
        }
    }

    private async Task SearchAllAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < searches.Count; i++) await SearchAsync(i, cancellationToken);
        lock (_gate) _looked = time.GetTimestamp();
    }

    private async Task SearchAsync(int i, CancellationToken cancellationToken)
    {
        try
        {
            _found[i] = await searches[i].SearchAsync(cancellationToken);
            _problems[i] = null;
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            if (_problems[i] != problem.Message) LogCannotSee(problem.Message);
            _problems[i] = problem.Message;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Whether another proxy has rules on this node cannot be seen: {Reason}")]
    private partial void LogCannotSee(string reason);
}
