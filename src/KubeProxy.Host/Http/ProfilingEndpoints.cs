using System.Globalization;
using System.Text;
using KubeProxy.Host.Diagnostics;
using KubeProxy.Host.Logging;
using Microsoft.AspNetCore.Http;

namespace KubeProxy.Host.Http;

/// <summary>
/// <c>/debug/</c>, with <c>enableProfiling</c>: upstream's paths, with what this runtime has to say. Recordings are in the format
/// <c>nettrace</c>, which dotnet-trace, PerfView and Visual Studio read; the others are text.
/// </summary>
/// <param name="isEnabled">Whether it is switched on; if not, there is nothing here.</param>
/// <param name="samples">Whether the runtime samples stacks; native code leaves that to perf.</param>
/// <param name="verbosity">How much is logged, for <c>/debug/flags/v</c>.</param>
/// <param name="time">The clock of recordings.</param>
internal sealed class ProfilingEndpoints(Func<bool> isEnabled, bool samples, VerbositySwitch verbosity, TimeProvider time)
{
    private static readonly TimeSpan LongestRecording = TimeSpan.FromMinutes(5);
    private int _isRecording;

    /// <summary>Adds the pages.</summary>
    public void AddTo(MetricsEndpoints pages)
    {
        pages.Add("/debug/pprof", Guarded(_ => Redirect("/debug/pprof/")));
        pages.Add("/debug/pprof/", Guarded(Profiles));
        pages.Add("/debug/pprof/profile", samples ? Guarded(request => RecordAsync(request, EventSelection.CpuSamples, defaultSeconds: 30)) : Guarded(_ => NotSampled()));
        pages.Add("/debug/pprof/trace", Guarded(request => RecordAsync(request, EventSelection.RuntimeEvents, defaultSeconds: 1)));
        pages.Add("/debug/flags", Guarded(Flags));
        pages.Add("/debug/flags/", Guarded(Flags));
        pages.Add("/debug/flags/v", Guarded(SetVerbosityAsync));
    }

    private HttpHandler Guarded(HttpHandler page) => request => isEnabled() ? page(request) : new(HttpReply.NotFound);

    private HttpHandler Guarded(Func<HttpRequest, HttpReply> page) => Guarded(request => new ValueTask<HttpReply>(page(request)));

    private static HttpReply Profiles(HttpRequest request) => request.Path.Value!["/debug/pprof/".Length..] switch
    {
        "" => Html("""
            <html><head><title>/debug/pprof/</title></head><body>
            <p>Profiles of this process. Those marked * are recorded while you wait (?seconds=N), in the format nettrace:
            open them with dotnet-trace, PerfView or Visual Studio.</p>
            <ul>
            <li><a href="profile?seconds=30">profile</a> * where CPU time goes: stacks of all threads every millisecond (native code: perf record)</li>
            <li><a href="trace?seconds=5">trace</a> * collections, threads, locks, exceptions, compilation</li>
            <li><a href="heap">heap</a> the managed heap by generation</li>
            <li><a href="allocs">allocs</a> allocations and collections since the start</li>
            <li><a href="goroutine">goroutine</a> threads and thread pool</li>
            <li><a href="threadcreate">threadcreate</a> the same</li>
            <li><a href="block">block</a> lock contention</li>
            <li><a href="mutex">mutex</a> the same</li>
            <li><a href="symbol">symbol</a> none: recordings hold their own names</li>
            </ul></body></html>

            """),
        "heap" => Text(RuntimeReport.Heap()),
        "allocs" => Text(RuntimeReport.Allocations()),
        "goroutine" or "threadcreate" => Text(RuntimeReport.Threads()),
        "block" or "mutex" => Text(RuntimeReport.Contention()),
        "symbol" => Text("num_symbols: 0\n"),
        _ => HttpReply.Text(StatusCodes.Status404NotFound, "Unknown profile\n"),
    };

    private static HttpReply NotSampled() => HttpReply.Text(
        StatusCodes.Status501NotImplemented,
        $"this program is native code, which its runtime does not sample; the kernel does: perf record -g -p {Environment.ProcessId} -- sleep 30\n");

    private async ValueTask<HttpReply> RecordAsync(HttpRequest request, EventSelection selection, int defaultSeconds)
    {
        var text = request.Query["seconds"].ToString();
        if (text.Length == 0) text = defaultSeconds.ToString(CultureInfo.InvariantCulture);
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            || seconds <= 0 || seconds > LongestRecording.TotalSeconds)
            return HttpReply.Text(StatusCodes.Status400BadRequest, $"seconds must be greater than 0 and at most {LongestRecording.TotalSeconds}\n");
        if (Interlocked.Exchange(ref _isRecording, 1) == 1) return HttpReply.Text(StatusCodes.Status409Conflict, "another recording is under way\n");
        try
        {
            var trace = await EventTrace.StartAsync(selection, request.HttpContext.RequestAborted);
            return new HttpReply(StatusCodes.Status200OK, "application/octet-stream", default)
            {
                Headers = [new("Content-Disposition", "attachment; filename=\"kube-proxy.nettrace\"")],
                Writer = (body, cancellationToken) => WriteAsync(trace, body, TimeSpan.FromSeconds(seconds), cancellationToken),
            };
        }
        catch (Exception problem) when (problem is IOException or OperationCanceledException)
        {
            Volatile.Write(ref _isRecording, 0);
            return HttpReply.Text(StatusCodes.Status503ServiceUnavailable, $"cannot record: {problem.Message}\n");
        }
    }

    private async Task WriteAsync(EventTrace trace, Stream body, TimeSpan duration, CancellationToken cancellationToken)
    {
        try
        {
            using (trace) await trace.WriteAsync(body, duration, time, cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _isRecording, 0);
        }
    }

    private static HttpReply Flags(HttpRequest request) => request.Path.Value is "/debug/flags" or "/debug/flags/"
        ? Html("""
            <html><head><title>/debug/flags/</title></head><body>
            <p>Flags that can be changed while it runs, by a PUT of the new value: v, the verbosity of logs.</p>
            </body></html>

            """)
        : HttpReply.NotFound;

    private async ValueTask<HttpReply> SetVerbosityAsync(HttpRequest request)
    {
        if (!HttpMethods.IsPut(request.Method)) return HttpReply.Text(StatusCodes.Status406NotAcceptable, "only PUT is served here\n");
        using var reader = new StreamReader(request.Body, Encoding.UTF8);
        var text = (await reader.ReadToEndAsync(request.HttpContext.RequestAborted)).Trim();
        if (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var level) || level > int.MaxValue)
            return HttpReply.Text(StatusCodes.Status400BadRequest, $"cannot set the verbosity to \"{text}\": it is a whole number from 0 to {int.MaxValue}\n");
        verbosity.Current = verbosity.Current with { General = level };
        return Text($"successfully set the verbosity to {level}\n");
    }

    private static HttpReply Text(string text) => HttpReply.Text(StatusCodes.Status200OK, text);

    private static HttpReply Html(string text) => new(StatusCodes.Status200OK, "text/html; charset=utf-8", Encoding.UTF8.GetBytes(text));

    private static HttpReply Redirect(string location) =>
        HttpReply.Text(StatusCodes.Status302Found, "") with { Headers = [new("Location", location)] };
}
