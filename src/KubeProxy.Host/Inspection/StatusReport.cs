using System.Globalization;
using System.Text;
using System.Text.Json;
using KubeProxy.Core.Model;

namespace KubeProxy.Host.Inspection;

/// <summary>What <c>/status</c> says, on one screen.</summary>
/// <param name="status">The body of <c>/status</c>.</param>
internal sealed class StatusReport(JsonElement status)
{
    /// <summary>All is well.</summary>
    public const int Well = 0;

    /// <summary>Something is wrong with the node.</summary>
    public const int Wrong = 1;

    private const int Shown = 8;

    /// <summary>
    /// <see cref="Wrong"/> when it does not keep up, or it is doubted that connections go where the last state of the cluster says. What is wrong
    /// with single objects does not count: it is the same on all nodes, and no node can do anything about it.
    /// </summary>
    public int ExitCode => Is("healthy") && Is("ready") ? Well : Wrong;

    /// <summary>Writes it as text.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        var zone = Text(status, "zone") is { Length: > 0 } known ? $", zone {known}" : "";
        Line(text, $"{Text(status, "mode")} on node {Text(status, "node")}{zone}: {Verdict()}");
        Line(text, $"{Number(status, "services")} Services, {Number(status, "endpoints")} endpoints in {Number(status, "endpointSlices")} EndpointSlices{Waiting()}");
        foreach (var family in Array("families")) Line(text, Family(family));
        if (status.TryGetProperty("apiServer", out var server)) Line(text, Server(server));
        List(text, "Wrong", [.. Array("doubts").Select(doubt => doubt.GetString() ?? ""), .. Unhealthy()]);
        List(text, "Refused by the kernel", Array("families").SelectMany(family => Array(family, "quarantined")).Select(Refused));
        List(text, "Problems of objects", Array("problems").Select(problem => problem.GetString() ?? ""));
        List(text, "Also on this node", Array("rivals").Select(rival => rival.GetString() ?? ""));
        return text.ToString();
    }

    private string Verdict() => ExitCode == Well ? "all is in force" : Is("ready") ? "a change waits" : "NOT READY";

    private string Waiting() => Number(status, "pendingServices") + Number(status, "pendingEndpoints") is > 0 and var count ? $", {count} changes to be planned" : "";

    private IEnumerable<string> Unhealthy() => Is("healthy") ? [] : ["a change has waited for more than two sync periods"];

    private static string Family(JsonElement family)
    {
        var last = Text(family, "lastSync") is { Length: > 0 } time
            ? $", last sync {time} ({Number(family, "lastOperations")} objects written in {Milliseconds(family)} ms)" : ", no sync yet";
        var failed = Number(family, "failedSyncs") is > 0 and var failures ? $", {failures} failed" : "";
        var repaired = Number(family, "repaired") is > 0 and var repairs ? $", {repairs} objects repaired" : "";
        return $"{Text(family, "family")}: {Number(family, "servicePorts")} service ports, {Number(family, "syncs")} syncs{failed}{repaired}{last}";
    }

    private static string Milliseconds(JsonElement family) =>
        (Real(family, "lastCompileMilliseconds") + Real(family, "lastCommitMilliseconds")).ToString("0.0", CultureInfo.InvariantCulture);

    private static string Server(JsonElement server) => server.TryGetProperty("connected", out var connected) && connected.ValueKind == JsonValueKind.True
        ? "API server: connected"
        : $"API server: away{(Text(server, "awaySince") is { Length: > 0 } since ? $" since {since}" : "")}: {Text(server, "lastError")}";

    private static string Refused(JsonElement owner) => $"{Text(owner, "servicePort")}, since {Text(owner, "since")}: {Text(owner, "reason")}";

    private static void List(StringBuilder text, string title, IEnumerable<string> items)
    {
        var all = items.ToList();
        if (all.Count == 0) return;
        text.Append('\n');
        Line(text, $"{title}:");
        foreach (var item in all.Take(Shown)) Line(text, $"  {item}");
        if (all.Count > Shown) Line(text, $"  and {all.Count - Shown} more");
    }

    private static void Line(StringBuilder text, string line) => text.Append(SingleLine.Of(line)).Append('\n');

    private bool Is(string name) => status.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private IEnumerable<JsonElement> Array(string name) => Array(status, name);

    private static IEnumerable<JsonElement> Array(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var list) || list.ValueKind != JsonValueKind.Array) yield break;
        foreach (var item in list.EnumerateArray()) yield return item;
    }

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";

    private static long Number(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.TryGetInt64(out var number) ? number : 0;

    private static double Real(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.TryGetDouble(out var number) ? number : 0;
}
