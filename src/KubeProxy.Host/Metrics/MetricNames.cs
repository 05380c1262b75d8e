using System.Diagnostics.Metrics;
using System.Text;

namespace KubeProxy.Host.Metrics;

/// <summary>Names and texts of instruments as Prometheus takes them.</summary>
internal static class MetricNames
{
    /// <summary>A metric name: letters, digits, <c>_</c> and <c>:</c>; anything else becomes <c>_</c>.</summary>
    public static string Metric(string name) => Clean(name, allowColon: true);

    /// <summary>A label name: letters, digits and <c>_</c>; anything else becomes <c>_</c>.</summary>
    public static string Label(string name) => Clean(name, allowColon: false);

    /// <summary>The description in one line, escaped: prometheus-net 8.2.1 escapes labels only.</summary>
    public static string Help(Instrument instrument)
    {
        var text = (instrument.Description ?? "").Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return instrument.Name.StartsWith("kubeproxy_", StringComparison.Ordinal) ? "[ALPHA] " + text : text;
    }

    private static string Clean(string name, bool allowColon)
    {
        var text = new StringBuilder(name.Length);
        foreach (var character in name)
            text.Append(char.IsAsciiLetterOrDigit(character) || character == '_' || (character == ':' && allowColon) ? character : '_');
        if (text.Length == 0 || char.IsAsciiDigit(text[0])) text.Insert(0, '_');
        return text.ToString();
    }
}
