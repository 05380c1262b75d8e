using System.Text;
using KubeProxy.Host.Http;
using KubeProxy.Host.Logging;
using Microsoft.AspNetCore.Http;

namespace KubeProxy.Host.Tests.Http;

public sealed class ProfilingEndpointsTests
{
    [Fact]
    public async Task Native_code_names_the_tool_that_samples_it()
    {
        var pages = new MetricsEndpoints();
        new ProfilingEndpoints(() => true, samples: false, new VerbositySwitch(new Verbosity(2, [])), TimeProvider.System).AddTo(pages);
        var request = new DefaultHttpContext().Request;
        request.Path = "/debug/pprof/profile";
        var reply = await pages.Handle(request);
        Assert.Equal(StatusCodes.Status501NotImplemented, reply.Status);
        Assert.Contains($"perf record -g -p {Environment.ProcessId}", Encoding.UTF8.GetString(reply.Body.Span), StringComparison.Ordinal);
    }
}
