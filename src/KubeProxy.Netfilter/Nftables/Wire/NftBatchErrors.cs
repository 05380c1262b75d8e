using KubeProxy.Netfilter.Nftables.Validation;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Finds the operation, and the element, that each refused message of a batch stands for.</summary>
internal static class NftBatchErrors
{
    public static IReadOnlyList<NftFailure> Map(
        NftTransaction transaction, IReadOnlyList<NftMessageOrigin> origins, NlMsgWriter batch, IReadOnlyList<NetlinkMessageError> errors)
    {
        var failures = new List<NftFailure>(errors.Count);
        foreach (var error in errors)
        {
            var failure = Failure(transaction, origins, batch, error);
            // An operation may be several messages, which all fail for the same reason.
            var isRepeated = failures is [.., var last] && last.OperationIndex == failure.OperationIndex && failure.ElementIndex is null;
            if (!isRepeated) failures.Add(failure);
        }

        return failures;
    }

    private static NftFailure Failure(
        NftTransaction transaction, IReadOnlyList<NftMessageOrigin> origins, NlMsgWriter batch, NetlinkMessageError error)
    {
        var origin = error.MessageIndex >= 0 && error.MessageIndex < origins.Count ? origins[error.MessageIndex] : new NftMessageOrigin(-1, 0, false);
        if (origin.Operation < 0)
            return NftFailures.OfBatch(error.Errno, error.Extended?.Message ?? NftMissingFeature.Explain(error.Errno));
        var operation = transaction.Operations[origin.Operation];
        int? element = null;
        // Zero: it is not an element that is wrong, but the set.
        if (origin.HasElements && error.Extended?.AttributeOffset is { } offset && ElementsBefore(batch, error.MessageIndex, offset) is > 0 and var count)
            element = origin.FirstElement + count - 1;
        var message = error.Extended?.Message ?? NftMissingFeature.Explain(error.Errno, operation);
        return NftFailures.Of(origin.Operation, element, error.Errno, message, operation);
    }

    /// <summary>How many elements begin at or before that offset of a message; the ends of ranges are none.</summary>
    private static int ElementsBefore(NlMsgWriter batch, int messageIndex, int offset)
    {
        var index = 0;
        foreach (var segment in batch.Segments())
        {
            foreach (var message in new NlMessages(segment.Span))
            {
                if (index++ == messageIndex) return CountElements(message, offset);
            }
        }

        return 0;
    }

    private static int CountElements(NlMessage message, int offset)
    {
        if (!message.Attributes(NfGenMessage.Size).TryFind(ElementListAttribute.Elements, out var list)) return 0;
        message.Bytes.Overlaps(list.Payload, out var at);
        var count = 0;
        foreach (var element in list.Nested())
        {
            if (at > offset) break;
            var isEnd = element.Nested().TryFind(ElementAttribute.Flags, out var flags) && (flags.U32BigEndian() & NftProtocol.IntervalEnd) != 0;
            if (!isEnd) count++;
            at += NlMsgHeader.Align(element.Payload.Length + 4);
        }

        return count;
    }
}
