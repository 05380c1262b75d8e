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

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly IReadOnlyList<Rival>[] _found = [.. searches.Select(_ => Array.Empty<Rival>())];
    private readonly string?[] _problems = new string?[searches.Count];
    private long? _looked;
    private volatile bool _changed;

    /// <summary>A rival may have come or gone. From any thread.</summary>
    public void Recheck() => _changed = true;

    /// <summary>What is there. What cannot be seen is taken to be as it was, and logged once.</summary>
    public async Task<IReadOnlyList<Rival>> LookAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_changed || _looked is not { } looked || time.GetElapsedTime(looked) >= GoodFor)
            {
                _changed = false;
                for (var i = 0; i < searches.Count; i++) await SearchAsync(i, cancellationToken);
                _looked = time.GetTimestamp();
            }

            return [.. _found.SelectMany(rivals => rivals)];
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

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
