using System.Net.Sockets;
using KubeProxy.Core.Health;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Backends;
using KubeProxy.Host.Composition;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Host.Tests.Composition;

public sealed class ReadinessTests : IDisposable
{
    private static readonly Rival Other = new("rules of another", "x", CanWin: true, "Stop it.");
    private readonly FakeRivalSearch _search = new();
    private readonly SteppedTime _time = new();
    private readonly Lines _lines = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _lines.Dispose();

    private RivalWatch Watch(params FakeRivalSearch[] searches) => new(searches, _time, new Logger<RivalWatch>(_lines));

    [Fact]
    public async Task A_rival_is_looked_for_again_after_a_while_or_when_something_changed()
    {
        using var watch = Watch(_search);
        Assert.Empty(await watch.LookAsync(Token));
        _search.Found = [Other];
        Assert.Empty(await watch.LookAsync(Token));
        watch.Recheck();
        Assert.Equal([Other], await watch.LookAsync(Token));
        _search.Found = [];
        _time.Advance(RivalWatch.GoodFor - TimeSpan.FromMilliseconds(1));
        Assert.Equal([Other], await watch.LookAsync(Token));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Empty(await watch.LookAsync(Token));
        Assert.Equal(3, _search.Searches);
    }

    [Fact]
    public async Task What_cannot_be_seen_is_as_it_was_and_told_once_and_hides_nothing_else()
    {
        var second = new FakeRivalSearch { Found = [Other with { Subject = "other" }] };
        using var watch = Watch(_search, second);
        _search.Found = [Other];
        Assert.Equal(2, (await watch.LookAsync(Token)).Count);
        _search.Problem = new SocketException((int)SocketError.AccessDenied);
        for (var i = 0; i < 3; i++)
        {
            watch.Recheck();
            Assert.Equal(2, (await watch.LookAsync(Token)).Count);
        }

        Assert.StartsWith("Warning: Whether another proxy has rules on this node cannot be seen", Assert.Single(_lines.Written), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_doubt_is_logged_once_when_it_comes()
    {
        // Not run, so that its first sync stays undone.
        await using var backend = new IdleBackend();
        using var engine = new ProxyEngine(new ProxyOptions { NodeName = "node1" }, [backend]);
        using var watch = Watch(_search);
        using var readiness = new Readiness(engine, watch, () => null, new ServiceReadiness(null, NullLogger<ServiceReadiness>.Instance), _time, new Logger<Readiness>(_lines));
        await LookAsync();
        Assert.Equal(["Warning: Not ready: IPv4: the first sync is not done yet, without the list of Services and EndpointSlices"], _lines.Take());
        await LookAsync();
        Assert.Empty(_lines.Take());
        _search.Found = [Other];
        await LookAsync();
        _search.Found = [Other with { Details = "y" }]; // More of the same.
        await LookAsync();
        Assert.Equal(["Warning: Not ready: rules of another (x) can win over those of this proxy. Stop it."], _lines.Take());
        _search.Found = [];
        await LookAsync();
        Assert.Empty(_lines.Take());
        _search.Found = [Other];
        await LookAsync();
        Assert.Single(_lines.Take());

        async Task LookAsync()
        {
            watch.Recheck();
            await readiness.LookAsync(Token);
        }
    }

    [Fact]
    public async Task Cleanup_names_what_is_left_of_legacy_tables_and_removes_nothing()
    {
        var cleaner = new LegacyCleaner(_ => _search);
        Assert.Empty(await cleaner.CleanAsync(Token));
        _search.Found = [Other];
        var problem = await Assert.ThrowsAsync<ProxyBackendException>(() => cleaner.CleanAsync(Token));
        Assert.Contains("there are rules of another (x). Stop it.", problem.Message, StringComparison.Ordinal);
    }

    private sealed class IdleBackend : IProxyBackend
    {
        public IpFamily Family => IpFamily.IPv4;

        public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken) => Task.FromResult(new SyncResult());

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class SteppedTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;
    }

    private sealed class Lines : ILoggerFactory, ILogger
    {
        public List<string> Written { get; } = [];

        public List<string> Take()
        {
            List<string> taken = [.. Written];
            Written.Clear();
            return taken;
        }

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) { }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add($"{logLevel}: {formatter(state, exception)}");

        public void Dispose() { }
    }
}
