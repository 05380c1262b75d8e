using System.Globalization;

namespace KubeProxy.ApiBenchmark;

/// <summary>What the kernel tells about a process (proc(5)).</summary>
internal static class ProcessNumbers
{
    /// <summary>A field of <c>/proc/PID/status</c> in MiB, such as <c>VmRSS</c> or <c>VmHWM</c>.</summary>
    public static double MiB(string process, string field) => Field(process, field) / 1024;

    /// <summary>How often its threads have stopped to wait for something.</summary>
    public static double Waits(int process) => Directory.GetDirectories($"/proc/{process}/task")
        .Sum(task => Field($"{process}/task/{Path.GetFileName(task)}", "voluntary_ctxt_switches"));

    /// <summary>The CPU time that it has used, in user mode and in the kernel, with the resolution of a clock tick (10 ms).</summary>
    public static TimeSpan Cpu(int process)
    {
        var text = File.ReadAllText($"/proc/{process}/stat");
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromMilliseconds(10 * (Number(fields[11]) + Number(fields[12])));
    }

    private static double Field(string process, string field)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(field + ":", StringComparison.Ordinal));
        return Number(line[(field.Length + 1)..].Trim().Split(' ')[0]);
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
