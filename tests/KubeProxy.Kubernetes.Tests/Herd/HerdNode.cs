using System.Net;

namespace KubeProxy.Kubernetes.Tests.Herd;

/// <summary>One node: four watches, which go on with a list when the server has lost its history.</summary>
internal sealed class HerdNode(VirtualTime time, HerdServer server, IHerdPacing pacing)
{
    private const int Kinds = 4;

    private int _current;

    /// <summary>When all kinds were read again.</summary>
    public TimeSpan? CurrentAt { get; private set; }

    public void Start()
    {
        for (var i = 0; i < Kinds; i++) _ = RunAsync(new object());
    }

    private async Task RunAsync(object watch)
    {
        pacing.Answered(watch);
        await server.Outage;
        await pacing.FailedAsync(watch, ApiRequestException.Broken("connection reset"));
        var isList = false;
        while (true)
        {
            await pacing.TurnAsync(watch);
            try
            {
                await server.AskAsync(isList);
                pacing.Answered(watch);
                if (isList) break;
                throw new ApiRequestException("410") { StatusCode = HttpStatusCode.Gone };
            }
            catch (ApiRequestException e)
            {
                isList |= e.IsGone;
                await pacing.FailedAsync(watch, e);
            }
        }

        if (++_current == Kinds) CurrentAt = time.Now;
    }
}
