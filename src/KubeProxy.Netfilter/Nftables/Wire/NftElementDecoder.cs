using System.Collections.Immutable;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Reads the elements of one set, message after message, and hands them on one by one.</summary>
internal sealed class NftElementDecoder(NftSet set, Action<NftElement> visit)
{
    private readonly NftVerdictCache _verdicts = new();
    private readonly NftIntervalJoiner? _joiner = NftIntervals.IsPaired(set) ? new NftIntervalJoiner(visit) : null;

    /// <summary>Reads one message.</summary>
    public void Read(NlMessage message)
    {
        if (!message.Attributes(NfGenMessage.Size).TryFind(ElementListAttribute.Elements, out var list)) return;
        foreach (var attribute in list.Nested())
        {
            var element = Element(attribute, out var isEnd);
            if (_joiner is not null && !element.IsCatchAll) _joiner.Add(element, isEnd);
            else visit(element);
        }
    }

    /// <summary>There are no more messages.</summary>
    public void Finish() => _joiner?.Finish();

    /// <summary>Forgets what was read.</summary>
    public void Restart() => _joiner?.Restart();

    private NftElement Element(NlAttribute element, out bool isEnd)
    {
        uint flags = 0;
        NftElementDetails? details = null;
        ImmutableArray<byte> unknown = default;
        NftData key = default, keyEnd = default, data = default;
        Rules.NftVerdict? verdict = null;
        ulong timeout = 0, expires = 0;
        string? comment = null;
        foreach (var attribute in element.Nested())
        {
            switch (attribute.As<ElementAttribute>())
            {
                case ElementAttribute.Key: key = NftDataCodec.ReadValue(attribute); break;
                case ElementAttribute.KeyEnd: keyEnd = NftDataCodec.ReadValue(attribute); break;
                case ElementAttribute.Data when set.Kind == NftSetKind.VerdictMap:
                    verdict = NftDataCodec.ReadVerdict(attribute, _verdicts);
                    break;
                case ElementAttribute.Data: data = NftDataCodec.ReadValue(attribute); break;
                case ElementAttribute.Flags: flags = attribute.U32BigEndian(); break;
                case ElementAttribute.Timeout: timeout = attribute.U64BigEndian(); break;
                case ElementAttribute.Expiration: expires = attribute.U64BigEndian(); break;
                case ElementAttribute.Userdata: comment = NftUserdataReader.Text(attribute.Payload, NftUserdata.ElementComment); break;
                case ElementAttribute.Object: details = (details ?? new()) with { Object = attribute.Text() }; break;
                case ElementAttribute.Expression when NftStatementLists.ReadOne(attribute) is { } one: details = (details ?? new()) with { Statements = one }; break;
                case ElementAttribute.Expressions when NftStatefulCodec.ReadList(attribute) is { } several: details = (details ?? new()) with { Statements = several }; break;
                case ElementAttribute.Padding: break;
                default: NftUnknown.Keep(ref unknown, attribute); break;
            }
        }

        isEnd = (flags & NftProtocol.IntervalEnd) != 0;
        if (!unknown.IsDefaultOrEmpty) details = (details ?? new()) with { Unknown = unknown };
        return new NftElement
        {
            IsCatchAll = (flags & NftProtocol.CatchAll) != 0,
            Details = details,
            Key = key,
            KeyEnd = keyEnd,
            Data = data,
            Verdict = verdict,
            Timeout = NftObjectDecoder.Milliseconds(timeout),
            Expires = NftObjectDecoder.Milliseconds(expires),
            Comment = comment,
        };
    }
}
