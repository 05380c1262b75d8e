namespace KubeProxy.Core.Health;

/// <summary>Something else on this node that handles connections to Services: what another proxy, or another mode, left or writes.</summary>
/// <param name="Subject">What it is, in a few words that stay the same as long as it is there, such as <c>rules of iptables-legacy</c>.</param>
/// <param name="Details">What was seen of it, such as names of chains.</param>
/// <param name="CanWin">Whether it can decide where a connection goes, although the proxy's own rules say otherwise.</param>
/// <param name="Remedy">How an operator gets rid of it: a sentence.</param>
public sealed record Rival(string Subject, string Details, bool CanWin, string Remedy)
{
    /// <summary>One line for an operator.</summary>
    public override string ToString() =>
        $"{Subject} ({Details}) {(CanWin ? "can win over those of this proxy" : "are there, without effect on Services")}. {Remedy}".TrimEnd();
}

/// <summary>Looks for rivals of one kind. Changes nothing.</summary>
public interface IRivalSearch
{
    /// <summary>What is there now; usually nothing.</summary>
    /// <exception cref="Exception">It cannot be seen; the message says why.</exception>
    Task<IReadOnlyList<Rival>> SearchAsync(CancellationToken cancellationToken);
}
