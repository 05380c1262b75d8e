using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Validation;

/// <summary>Finds opaque expressions that cannot be written back.</summary>
internal static class NftOpaqueCheck
{
    private const ushort LookupSet = 1; // NFTA_LOOKUP_SET
    private const ushort ObjectSet = 4; // NFTA_OBJREF_SET_NAME

    /// <summary>An anonymous set cannot be looked up in twice: a new one is needed, and its elements have to be known.</summary>
    public static string? Problem(NftOpaque opaque)
    {
        if (opaque.Set is not null || opaque.Name is not ("lookup" or "objref")) return null;
        var wanted = opaque.Name == "lookup" ? LookupSet : ObjectSet;
        try
        {
            foreach (var attribute in new NlAttributes(opaque.Attributes.AsSpan()))
                if (attribute.Type == wanted && IsAnonymous(attribute.Text())) return "its anonymous set was not read with it, so the rule cannot be written";
        }
        catch (NetlinkFormatException)
        {
            return "its attributes are malformed";
        }

        return null;
    }

    private static bool IsAnonymous(string name) => name.StartsWith("__set", StringComparison.Ordinal)
        || name.StartsWith("__map", StringComparison.Ordinal) || name.StartsWith("__objmap", StringComparison.Ordinal);
}
