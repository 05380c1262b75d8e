using Microsoft.Extensions.Hosting;

namespace KubeProxy.Host.Composition;

/// <summary>Ends the process from within.</summary>
/// <param name="lifetime">The process.</param>
internal sealed class ProcessExit(IHostApplicationLifetime lifetime)
{
    /// <summary>0, unless something failed.</summary>
    public int Code { get; private set; }

    /// <summary>Ends the process with 1.</summary>
    public void Fail()
    {
        Code = 1;
        lifetime.StopApplication();
    }
}
