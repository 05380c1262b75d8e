using System.Globalization;
using System.Text;

namespace KubeProxy.Host.Diagnostics;

/// <summary>What the runtime says of itself now, as text.</summary>
internal static class RuntimeReport
{
    /// <summary>The managed heap as of the last collection.</summary>
    public static string Heap()
    {
        var info = GC.GetGCMemoryInfo(GCKind.Any);
        var text = new StringBuilder("managed heap, bytes\n");
        Line(text, "in use now", GC.GetTotalMemory(false));
        Line(text, "committed", info.TotalCommittedBytes);
        Line(text, "fragmented", info.FragmentedBytes);
        Line(text, "available to the process", info.TotalAvailableMemoryBytes);
        Line(text, "pinned objects", info.PinnedObjectsCount);
        Line(text, "finalization pending", info.FinalizationPendingCount);
        text.Append("\ngeneration  before collection  after  fragmented after\n");
        string[] names = ["0", "1", "2", "large", "pinned"];
        for (var i = 0; i < info.GenerationInfo.Length && i < names.Length; i++)
        {
            var generation = info.GenerationInfo[i];
            text.Append(CultureInfo.InvariantCulture, $"{names[i]}  {generation.SizeBeforeBytes}  {generation.SizeAfterBytes}  {generation.FragmentationAfterBytes}\n");
        }

        return text.ToString();
    }

    /// <summary>What was allocated and collected since the start.</summary>
    public static string Allocations()
    {
        var text = new StringBuilder("allocations since the start\n");
        Line(text, "bytes", GC.GetTotalAllocatedBytes());
        for (var generation = 0; generation <= GC.MaxGeneration; generation++) Line(text, $"collections of generation {generation}", GC.CollectionCount(generation));
        text.Append(CultureInfo.InvariantCulture, $"time paused: {GC.GetTotalPauseDuration().TotalSeconds:0.######} s\n");
        return text.ToString();
    }

    /// <summary>The threads with the kernel's name and state of each, and the thread pool.</summary>
    public static string Threads()
    {
        var text = new StringBuilder("threads\n");
        foreach (var task in Directory.EnumerateDirectories("/proc/self/task").Order(StringComparer.Ordinal))
        {
            try
            {
                var status = File.ReadLines(Path.Combine(task, "status")).Select(line => line.Split(':', 2)).Where(parts => parts.Length == 2)
                    .ToDictionary(parts => parts[0], parts => parts[1].Trim());
                text.Append(CultureInfo.InvariantCulture, $"{Path.GetFileName(task)} {status.GetValueOrDefault("Name")}: {status.GetValueOrDefault("State")}\n");
            }
            catch (IOException)
            {
                // The thread has ended meanwhile.
            }
        }

        text.Append("\nthread pool\n");
        Line(text, "threads", ThreadPool.ThreadCount);
        Line(text, "queued", ThreadPool.PendingWorkItemCount);
        Line(text, "completed", ThreadPool.CompletedWorkItemCount);
        Line(text, "timers", Timer.ActiveCount);
        return text.ToString();
    }

    /// <summary>How often a thread had to wait for a lock.</summary>
    public static string Contention()
    {
        var text = new StringBuilder("lock contention since the start\n");
        Line(text, "waits", Monitor.LockContentionCount);
        return text.ToString();
    }

    private static void Line(StringBuilder text, string name, long value) => text.Append(CultureInfo.InvariantCulture, $"{name}: {value}\n");
}
