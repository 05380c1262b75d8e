using System.Text.Json;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

/// <summary>The objects of the conformance lab as realistic input.</summary>
public class ConformanceCaseTests
{
    internal static string Cases { get; } = Path.Combine(AppContext.BaseDirectory, "conformance");

    [Fact]
    public void Every_object_is_read_and_planned_without_a_complaint()
    {
        var reader = new KubernetesObjectReader();
        foreach (var file in Directory.EnumerateFiles(Cases, "*.json"))
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            var cluster = new TestCluster();
            var services = 0;
            foreach (var value in document.RootElement.GetProperty("steps").EnumerateArray()
                .Where(step => step.TryGetProperty("apply", out _)).SelectMany(step => step.GetProperty("apply").EnumerateArray()))
            {
                var item = Assert.Single(reader.ReadDocument(value));
                Assert.True(item.Object is not null, $"{file}: {item.Error?.Message}");
                cluster.State.Upsert(item.Object);
                if (item.Object is Service) services++;
            }

            Assert.True(cluster.Complaints().Length == 0, $"{file}: {string.Join('\n', cluster.Complaints())}");
            Assert.True(services == 0 || cluster.Plans().Count + cluster.Plans(IpFamily.IPv6).Count > 0 || file.Contains("headless", StringComparison.Ordinal) || file.Contains("proxy-name", StringComparison.Ordinal), file);
        }
    }
}
