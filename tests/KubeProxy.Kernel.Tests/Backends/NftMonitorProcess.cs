using System.Diagnostics;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>nft's own view of what is written, apart from the generation that every reader causes none of.</summary>
internal sealed class NftMonitorProcess : IDisposable
{
    private readonly Process _process;

    public NftMonitorProcess(NetworkNamespace node)
    {
        _process = node.Start("nft", "monitor");
        Thread.Sleep(300);
    }

    public async Task<string> StopAsync()
    {
        await Task.Delay(300);
        _process.Kill(entireProcessTree: true);
        return await _process.StandardOutput.ReadToEndAsync();
    }

    public void Dispose() => _process.Dispose();
}
