using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using KubeProxy.Core.Model;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Http;

/// <summary>Makes the pages about this component.</summary>
internal static class ComponentPages
{
    private const string Banner = "Meant for people who debug: the format may change at any time. Programs ask for JSON.\n\n";

    private const string FlagsNote = "With a file the flags are not what is in force: see /configz.\n\n";

    /// <summary><c>/statusz</c>: since when it runs, which version, and what it serves.</summary>
    /// <param name="start">The start of the process.</param>
    /// <param name="time">The clock.</param>
    /// <param name="paths">The paths served.</param>
    public static ComponentPage Status(DateTimeOffset start, TimeProvider time, Func<IReadOnlyList<string>> paths)
    {
        long Uptime() => (long)Math.Max(0, (time.GetUtcNow() - start).TotalSeconds);
        return new ComponentPage("Statusz", Text, Fields);

        string Text()
        {
            var uptime = TimeSpan.FromSeconds(Uptime());
            var text = new StringBuilder("\nkube-proxy statusz\n").Append(Banner);
            text.Append(CultureInfo.InvariantCulture, $"Started: {start.UtcDateTime:ddd MMM d HH:mm:ss} UTC {start.UtcDateTime:yyyy}\n");
            text.Append(CultureInfo.InvariantCulture, $"Up: {(int)uptime.TotalHours} hr {uptime.Minutes:00} min {uptime.Seconds:00} sec\n");
            text.Append("Runtime version: ").Append(RuntimeInformation.FrameworkDescription).Append('\n');
            text.Append("Binary version: ").Append(KubernetesVersion.Full.TrimStart('v')).Append('\n');
            text.Append(CultureInfo.InvariantCulture, $"Emulation version: {KubernetesVersion.Major}.{KubernetesVersion.Minor}\n");
            return text.Append("Paths: ").AppendJoin(' ', paths()).Append('\n').ToString();
        }

        JsonObject Fields() => new()
        {
            ["startTime"] = Rfc3339.Format(start),
            ["uptimeSeconds"] = Uptime(),
            // The field has this name in the API; this program's language runtime is another one.
            ["goVersion"] = RuntimeInformation.FrameworkDescription,
            ["binaryVersion"] = KubernetesVersion.Full.TrimStart('v'),
            ["emulationVersion"] = $"{KubernetesVersion.Major}.{KubernetesVersion.Minor}",
            ["paths"] = new JsonArray([.. paths().Select(path => JsonValue.Create(path))]),
        };
    }

    /// <summary><c>/flagz</c>: the flags, given or not. None of them is secret.</summary>
    /// <param name="flags">Names and values.</param>
    public static ComponentPage Flags(IEnumerable<KeyValuePair<string, string>> flags)
    {
        var sorted = new SortedDictionary<string, string>(flags.ToDictionary(), StringComparer.Ordinal);
        return new ComponentPage(
            "Flagz",
            () => "\nkube-proxy flagz\n" + Banner + FlagsNote + string.Concat(sorted.Select(flag => $"{flag.Key}={SingleLine.Of(flag.Value)}\n")),
            () => new JsonObject { ["flags"] = new JsonObject(sorted.Select(flag => KeyValuePair.Create(flag.Key, (JsonNode?)flag.Value))) });
    }
}
