using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>What no text stands for. It must never load as something else, so it is something that nft refuses.</summary>
internal static class NftOpaqueText
{
    // The name of an extension of xtables says more than its bytes.
    public static string Of(NftOpaque opaque) => Of(opaque.Extension is { } extension
        ? $"{opaque.Name} {NftValueText.Quoted(extension)}"
        : $"{opaque.Name} 0x{Convert.ToHexStringLower(opaque.Attributes.AsSpan())}");

    // No command, statement or expression of nft begins with a less-than sign.
    public static string Of(string what) => $"<opaque {what}>";
}
