using System.Globalization;

namespace KubeProxy.Host.Node;

/// <summary>How many CPUs the node has, whatever share of them this process may use.</summary>
internal static class CpuCount
{
    /// <summary>Counts the CPUs online (<c>/sys/devices/system/cpu/online</c>, such as <c>0-3,8</c>); those of this process when that cannot be read.</summary>
    /// <param name="root">Where /sys is mounted below.</param>
    public static int Online(string root)
    {
        try
        {
            var count = 0;
            foreach (var range in File.ReadAllText(Path.Combine(root, "sys/devices/system/cpu/online")).Trim().Split(','))
            {
                var ends = range.Split('-');
                var first = int.Parse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture);
                var last = ends.Length > 1 ? int.Parse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture) : first;
                count += Math.Max(0, last - first + 1);
            }

            return count > 0 ? count : Environment.ProcessorCount;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or OverflowException)
        {
            return Environment.ProcessorCount;
        }
    }
}
