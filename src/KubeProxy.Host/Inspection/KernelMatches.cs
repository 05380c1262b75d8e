using KubeProxy.Core.Explaining;
using KubeProxy.Core.Model;

namespace KubeProxy.Host.Inspection;

/// <summary>Which differences between kernel and plan are about a target: those whose text has one of its frontends, or the name of its Service.</summary>
internal static class KernelMatches
{
    /// <summary>Those of the differences.</summary>
    public static IReadOnlyList<Difference> Of(Explanation explanation, IReadOnlyList<Difference> differences) =>
    [
        .. differences.Where(difference => explanation.Ports.Any(port => port.Family == difference.Family && WordsOf(port).Any(word => Has(difference.What, word)))),
    ];

    private static IEnumerable<string> WordsOf(ServicePortExplanation port)
    {
        yield return port.Name.ToString();
        foreach (var frontend in port.Frontends.Where(frontend => frontend.IsInForce))
        {
            var (address, protocol, number) = (frontend.Frontend.Key.Address, frontend.Frontend.Key.Protocol.ToLowerName(), frontend.Frontend.Key.Port);
            if (address is { } known)
            {
                yield return $"{known} . {protocol} . {number}";
                yield return new IpEndpoint(known, number).ToString();
                yield return $"address add {known}";
            }
            else
            {
                yield return $"{protocol} . {number}";
                yield return $":{number}";
            }
        }
    }

    // As a word of its own: port 80 is not in 8080.
    private static bool Has(string text, string word)
    {
        for (var at = text.IndexOf(word, StringComparison.Ordinal); at >= 0; at = text.IndexOf(word, at + 1, StringComparison.Ordinal))
        {
            var end = at + word.Length;
            if ((at == 0 || word[0] == ':' || !char.IsLetterOrDigit(text[at - 1])) && (end == text.Length || !char.IsLetterOrDigit(text[end]))) return true;
        }

        return false;
    }
}
