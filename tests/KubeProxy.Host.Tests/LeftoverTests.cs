using System.Net;
using KubeProxy.Host.Backends;
using KubeProxy.Host.Composition;

namespace KubeProxy.Host.Tests;

/// <summary>What another mode left and cannot be removed.</summary>
public sealed class LeftoverTests : ProgramTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_makes_the_proxy_unready_until_it_can_be_removed()
    {
        var cleaner = new StubbornCleaner { Problem = "the device is busy" };
        var (run, pages, stop) = Start(cleaner);
        using var _ = stop;
        var answer = await EventuallyContainsAsync(pages + "/readyz", "the device is busy");
        Assert.Contains("what another mode may have left (fake) (cannot be removed: the device is busy) can win over those of this proxy. It is tried again and again.", answer, StringComparison.Ordinal);
        Assert.Contains("the device is busy", await EventuallyAsync(pages + "/status", HttpStatusCode.OK), StringComparison.Ordinal);
        await UntilAsync(() => cleaner.Attempts >= 2);
        Assert.Equal(2, ReadLog().Split("What another mode may have left (fake) cannot be removed").Length); // Once, though it was tried twice.

        cleaner.Problem = null;
        Assert.Equal("ok", await EventuallyAsync(pages + "/readyz", HttpStatusCode.OK));
        await UntilAsync(() => ReadLog().Contains("Removed something, which another mode left", StringComparison.Ordinal));
        var attempts = cleaner.Attempts;
        await stop.CancelAsync();
        Assert.Equal(0, await run);
        Assert.Equal(attempts, cleaner.Attempts); // Done is done.
    }

    [Fact]
    public async Task What_has_no_effect_on_services_is_only_told()
    {
        var (run, pages, stop) = Start(new StubbornCleaner { Problem = "read-only file system", CanWin = false });
        using var _ = stop;
        await EventuallyAsync(pages + "/readyz", HttpStatusCode.OK);
        Assert.Contains("read-only file system", await EventuallyAsync(pages + "/status", HttpStatusCode.OK), StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    [Fact]
    public async Task As_long_as_it_is_not_known_what_there_is_nothing_is_claimed()
    {
        var cleaner = new StubbornCleaner { Hold = new TaskCompletionSource() };
        var (run, pages, stop) = Start(cleaner);
        using var _ = stop;
        await UntilAsync(() => cleaner.Attempts == 1);
        Assert.Contains("what other modes may have left (it is removed once the first rules are in force)", await EventuallyContainsAsync(pages + "/readyz", "left"), StringComparison.Ordinal);
        cleaner.Hold.SetResult();
        await EventuallyAsync(pages + "/readyz", HttpStatusCode.OK);
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    private (Task<int> Run, string Pages, CancellationTokenSource Stop) Start(StubbornCleaner cleaner)
    {
        var metrics = FreePort();
        WriteFile("m/web.yaml", Web(FreePort()));
        var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var run = new ProxyProgram(Parts() with { CleanersAtStart = _ => [cleaner] }).RunAsync(Arguments(FreePort(), metrics), stop.Token);
        return (run, $"http://127.0.0.1:{metrics}", stop);
    }

    private static async Task<string> EventuallyContainsAsync(string url, string text)
    {
        using var http = new HttpClient();
        for (var i = 0; i < 300; i++)
        {
            try
            {
                using var response = await http.GetAsync(new Uri(url), Cancel);
                var answer = await response.Content.ReadAsStringAsync(Cancel);
                if (answer.Contains(text, StringComparison.Ordinal))
                {
                    Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
                    return answer;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            await Task.Delay(50, Cancel);
        }

        throw new TimeoutException($"{url} never said '{text}'.");
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; i < 400 && !condition(); i++) await Task.Delay(50, Cancel);
        Assert.True(condition());
    }

    private sealed class StubbornCleaner : IRuleCleaner
    {
        private int _attempts;

        public string Subject => "fake";

        public bool CanWin { get; init; } = true;

        public string? Problem { get; set; }

        public TaskCompletionSource? Hold { get; init; }

        public int Attempts => _attempts;

        public async Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _attempts);
            if (Hold is not null) await Hold.Task.WaitAsync(cancellationToken);
            return Problem is null ? ["something"] : throw new InvalidOperationException(Problem);
        }
    }
}
