using System.Globalization;
using System.Text;

namespace KubeProxy.Host.Metrics;

/// <summary>Writes metrics in the Prometheus text format 0.0.4.</summary>
internal static class PrometheusText
{
    /// <summary>The Content-Type of the format.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static void Append(StringBuilder text, MetricFamily family)
    {
        var series = family.Series.ToList();
        if (series.Count == 0) return;
        text.Append("# HELP ").Append(family.Name).Append(' ');
        if (family.Name.StartsWith("kubeproxy_", StringComparison.Ordinal)) text.Append("[ALPHA] ");
        AppendEscaped(text, family.Help, escapeQuotes: false);
        text.Append("\n# TYPE ").Append(family.Name).Append(' ').Append(TypeName(family)).Append('\n');
        foreach (var item in series)
        {
            if (family.Kind == MetricKind.Histogram) AppendHistogram(text, family.Name, item);
            else AppendSample(text, family.Name, item.Labels, Number(item.Read().Value));
        }
    }

    public static void AppendLabelValue(StringBuilder text, string value) => AppendEscaped(text, value, escapeQuotes: true);

    /// <summary>A metric name: letters, digits, <c>_</c> and <c>:</c>; anything else becomes <c>_</c>.</summary>
    public static string MetricName(string name) => Clean(name, allowColon: true);

    /// <summary>A label name: letters, digits and <c>_</c>; anything else becomes <c>_</c>.</summary>
    public static string LabelName(string name) => Clean(name, allowColon: false);

    /// <summary>A number as Go prints it, which is what scrapers are used to.</summary>
    public static string Number(double value)
    {
        if (double.IsNaN(value)) return "NaN";
        if (double.IsInfinity(value)) return value > 0 ? "+Inf" : "-Inf";
        return value.ToString("R", CultureInfo.InvariantCulture).Replace("E", "e", StringComparison.Ordinal);
    }

    private static void AppendHistogram(StringBuilder text, string name, MetricSeries series)
    {
        var (sum, count, cumulated) = series.Read();
        var prefix = series.Labels.Length == 0 ? "" : series.Labels + ",";
        for (var i = 0; i < cumulated.Length; i++)
            AppendSample(text, name + "_bucket", $"{prefix}le=\"{Number(series.Bounds[i])}\"", cumulated[i].ToString(CultureInfo.InvariantCulture));
        var total = count.ToString(CultureInfo.InvariantCulture);
        AppendSample(text, name + "_bucket", prefix + "le=\"+Inf\"", total);
        AppendSample(text, name + "_sum", series.Labels, Number(sum));
        AppendSample(text, name + "_count", series.Labels, total);
    }

    private static void AppendSample(StringBuilder text, string name, string labels, string value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(value).Append('\n');
    }

    private static void AppendEscaped(StringBuilder text, string value, bool escapeQuotes)
    {
        foreach (var character in value)
        {
            switch (character)
            {
                case '\\': text.Append("\\\\"); break;
                case '\n': text.Append("\\n"); break;
                case '"' when escapeQuotes: text.Append("\\\""); break;
                default: text.Append(character); break;
            }
        }
    }

    private static string Clean(string name, bool allowColon)
    {
        var text = new StringBuilder(name.Length);
        foreach (var character in name)
            text.Append(char.IsAsciiLetterOrDigit(character) || character == '_' || (character == ':' && allowColon) ? character : '_');
        if (text.Length == 0 || char.IsAsciiDigit(text[0])) text.Insert(0, '_');
        return text.ToString();
    }

    /// <summary>
    /// Upstream has gauges whose names end as those of counters have to. They keep their names, for dashboards; promtool would
    /// object to their type.
    /// </summary>
    private static string TypeName(MetricFamily family) => family.Kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Histogram => "histogram",
        _ => family.Name.EndsWith("_total", StringComparison.Ordinal) ? "untyped" : "gauge",
    };
}
