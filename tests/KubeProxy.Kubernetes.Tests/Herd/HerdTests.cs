using System.Globalization;

namespace KubeProxy.Kubernetes.Tests.Herd;

/// <summary>
/// 5,000 nodes lose their server at the same moment, and it comes back without history. What that means for it, and for them, with the
/// waits of today, with those of the reference, and with what was before. docs/performance.md has the figures.
/// </summary>
public sealed class HerdTests
{
    private const int Nodes = 5000;
    private const double ServerRate = 4000;

    private static readonly ApiServerSourceOptions Options = new() { NodeName = "node1" };

    [Theory]
    [InlineData(5)]
    [InlineData(80)]
    public void Server_that_comes_back_is_not_knocked_over(int awaySeconds)
    {
        var away = TimeSpan.FromSeconds(awaySeconds);
        var ours = Simulate("judge", Nodes, away, (time, random) => new JudgedPacing(time, random, Options));
        var before = Simulate("before", Nodes, away, (time, random) => new SingleBackoffs(time, random));
        var reference = Simulate("reference", Nodes, away, (time, random) => new ReferenceBackoffs(time, random));

        // Nobody is lost, and it takes hardly longer than the server needs for that much work (20 s), and less than with the others.
        Assert.InRange(ours.Last.TotalSeconds, 0, 40);
        Assert.True(ours.Last < before.Last);
        Assert.True(awaySeconds < 30 || ours.Last < reference.Last);
        Assert.InRange(ours.Peak, 0, 3 * ServerRate);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(3600)]
    public void Single_node_is_current_within_seconds(int awaySeconds)
    {
        // 100 nodes and a server that has nothing else to do.
        var ours = Simulate("judge, 100 nodes", 100, TimeSpan.FromSeconds(awaySeconds), (time, random) => new JudgedPacing(time, random, Options));
        Assert.InRange(ours.Of(0.95).TotalSeconds, 0, 2);
        Assert.InRange(ours.Last.TotalSeconds, 0, 2.5);
    }

    private static Outcome Simulate(string name, int nodes, TimeSpan away, Func<VirtualTime, Random, IHerdPacing> pacing)
    {
        var time = new VirtualTime();
        var server = new HerdServer(time, ServerRate);
        var all = Enumerable.Range(0, nodes).Select(i => new HerdNode(time, server, pacing(time, new Random(i)))).ToArray();
        var start = TimeSpan.FromSeconds(1);
        time.Run(start + away + TimeSpan.FromMinutes(10), () =>
        {
            foreach (var node in all) node.Start();
            _ = PlayAsync();
        });
        Assert.All(all, node => Assert.NotNull(node.CurrentAt));
        var outcome = new Outcome([.. all.Select(node => node.CurrentAt!.Value - start - away).Order()], server.Peak, server.Shed);
        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture,
            $"{name,-16} away {away.TotalSeconds,4:0} s: attempts while away {server.Refused / away.TotalSeconds,6:0}/s, then peak {outcome.Peak,5}/s, 429: {outcome.Shed,6}, current p50 {outcome.Of(0.5).TotalSeconds,5:0.0} s, p95 {outcome.Of(0.95).TotalSeconds,5:0.0} s, last {outcome.Last.TotalSeconds,5:0.0} s"));
        return outcome;

        async Task PlayAsync()
        {
            await Task.Delay(start, time);
            server.Leave();
            await Task.Delay(away, time);
            server.Return();
        }
    }

    private sealed record Outcome(TimeSpan[] Times, int Peak, int Shed)
    {
        public TimeSpan Last => Times[^1];

        public TimeSpan Of(double part) => Times[(int)Math.Ceiling(part * Times.Length) - 1];
    }
}
