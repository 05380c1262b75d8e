using KubeProxy.Core.Sync;
using Microsoft.Extensions.Options;

namespace KubeProxy.Core.Composition;

/// <summary>See <see cref="ProxyOptions.Validate"/>.</summary>
internal sealed class ProxyOptionsValidator : IValidateOptions<ProxyOptions>
{
    public ValidateOptionsResult Validate(string? name, ProxyOptions options)
    {
        try
        {
            options.Validate();
            return ValidateOptionsResult.Success;
        }
        catch (ArgumentException e)
        {
            return ValidateOptionsResult.Fail(e.Message);
        }
    }
}
