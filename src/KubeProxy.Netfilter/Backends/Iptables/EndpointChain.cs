using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>The chain of an endpoint: translates to it.</summary>
internal sealed class EndpointChain : ChainContent
{
    private readonly ServiceRules _service;
    private readonly bool _comments;

    /// <param name="service">The service port.</param>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="comments">Whether the rules have comments.</param>
    public EndpointChain(ServiceRules service, IpEndpoint endpoint, bool comments)
    {
        (_service, Endpoint, _comments) = (service, endpoint, comments);
        Name = ChainNames.OfEndpoint(service.Plan.Name, endpoint.ToString());
    }

    public IpEndpoint Endpoint { get; }

    /// <summary>The chain's name.</summary>
    public string Name { get; }

    public override int Count => 2;

    public override ImmutableArray<IptablesRule> Rules
    {
        get
        {
            var comment = _comments ? new CommentMatch(_service.Name) : null;
            var remember = _service.Plan.AffinityTimeout is null ? null : new RecentMatch(Name, RecentAction.Set);
            return
            [
                new IptablesRule
                {
                    Source = new AddressMatch(Cidr.Single(Endpoint.Address)),
                    Matches = ServiceRules.Some(comment),
                    Target = ServiceRules.MarkMasquerade,
                },
                new IptablesRule
                {
                    Protocol = _service.Protocol,
                    Matches = ServiceRules.Some(comment, remember, PortMatch.Any),
                    Target = new DnatTarget(Endpoint),
                },
            ];
        }
    }
}
