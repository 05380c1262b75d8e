using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>What a rule does. A closed set, compared by value.</summary>
public abstract record IptablesTarget
{
    private protected IptablesTarget() { }

    /// <summary><c>-j ACCEPT</c>.</summary>
    public static VerdictTarget Accept { get; } = new(NftVerdict.Accept);

    /// <summary><c>-j DROP</c>.</summary>
    public static VerdictTarget Drop { get; } = new(NftVerdict.Drop);

    /// <summary><c>-j RETURN</c>.</summary>
    public static VerdictTarget Return { get; } = new(NftVerdict.Return);

    /// <summary><c>-j chain</c>.</summary>
    public static VerdictTarget Jump(string chain) => new(NftVerdict.Jump(chain));
}

/// <summary>A verdict: ACCEPT, DROP, RETURN, a jump (<c>-j</c>) or a goto (<c>-g</c>).</summary>
public sealed record VerdictTarget(NftVerdict Verdict) : IptablesTarget;

/// <summary>Something that this library does not know; sent back as it came.</summary>
public sealed record UnknownTarget(NftStatement Statement) : IptablesTarget
{
    /// <summary>The name of the extension, for example <c>LED</c>; null when it is none.</summary>
    public string? Name => Statement is NftOpaque opaque && XtExtension.TryRead(opaque, out var extension) ? extension.Name : null;
}
