using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>What is known of an endpoint besides its address.</summary>
[Flags]
internal enum EndpointFlags : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Takes new connections.</summary>
    Ready = 1,

    /// <summary>Works, whether or not it is about to end.</summary>
    Serving = 2,

    /// <summary>Is about to end.</summary>
    Terminating = 4,

    /// <summary>Runs on this node.</summary>
    Local = 8,

    /// <summary>Has a hint that says which nodes should use it.</summary>
    NodeHinted = 16,

    /// <summary>Has a node hint that names this node.</summary>
    HintedToThisNode = 32,

    /// <summary>Runs on this node, or it is not said where, or only similarly to this node's name.</summary>
    MaybeLocal = 64,
}

/// <summary>One endpoint of a service port.</summary>
/// <param name="Target">Address and port.</param>
/// <param name="Flags">Its state.</param>
/// <param name="ZoneHints">
/// The zones that should use it, separated by <see cref="ZoneSeparator"/>; null without hints. One string, not a list, so that
/// a hundred thousand endpoints share a few.
/// </param>
internal readonly record struct EndpointState(IpEndpoint Target, EndpointFlags Flags, string? ZoneHints = null)
{
    /// <summary>Separates zones in <see cref="ZoneHints"/>; cannot be part of a label value.</summary>
    public const char ZoneSeparator = '\n';

    /// <summary>Takes new connections.</summary>
    public bool IsReady => (Flags & EndpointFlags.Ready) != 0;

    /// <summary>Works.</summary>
    public bool IsServing => (Flags & EndpointFlags.Serving) != 0;

    /// <summary>Is about to end, but still works: used when nothing better is there.</summary>
    public bool IsFallback => IsServing && (Flags & EndpointFlags.Terminating) != 0;

    /// <summary>Runs on this node.</summary>
    public bool IsLocal => (Flags & EndpointFlags.Local) != 0;

    /// <summary>Runs on this node, as far as can be told.</summary>
    public bool MayBeLocal => (Flags & (EndpointFlags.Local | EndpointFlags.MaybeLocal)) != 0;

    /// <summary>Whether a zone hint names the zone.</summary>
    public bool IsHintedTo(string zone)
    {
        var hints = ZoneHints.AsSpan();
        foreach (var range in hints.Split(ZoneSeparator))
        {
            if (hints[range].SequenceEqual(zone)) return true;
        }

        return false;
    }
}
