using System.Globalization;

namespace KubeProxy.Host.Http;

/// <summary>Times as Kubernetes writes them into JSON.</summary>
internal static class Rfc3339
{
    /// <summary>UTC with as many decimals as needed, at most seven; a time never set is that of year 1.</summary>
    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}
