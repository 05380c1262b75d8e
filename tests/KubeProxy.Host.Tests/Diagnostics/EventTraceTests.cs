using KubeProxy.Host.Diagnostics;

namespace KubeProxy.Host.Tests.Diagnostics;

public sealed class EventTraceTests
{
    [Fact]
    public async Task Ports_that_killed_processes_of_the_same_number_left_behind_are_not_taken()
    {
        List<string> stale = [.. Enumerable.Range(1, 20).Select(i => Path.Combine(Path.GetTempPath(), $"dotnet-diagnostic-{Environment.ProcessId}-{i}-socket"))];
        try
        {
            foreach (var path in stale)
            {
                await File.WriteAllTextAsync(path, "", TestContext.Current.CancellationToken);
                File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
            }

            using var trace = await EventTrace.StartAsync(EventSelection.RuntimeEvents, TestContext.Current.CancellationToken);
            using var output = new MemoryStream();
            await trace.WriteAsync(output, TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
            Assert.Equal("Nettrace"u8.ToArray(), output.ToArray()[..8]);
        }
        finally
        {
            stale.ForEach(File.Delete);
        }
    }
}
