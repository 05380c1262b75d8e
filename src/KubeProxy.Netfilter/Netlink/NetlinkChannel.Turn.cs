using System.Buffers;

namespace KubeProxy.Netlink;

// The receiving side of a request.
public sealed partial class NetlinkChannel
{
    /// <summary>Exclusive use of the transport, and a buffer to receive into.</summary>
    private readonly struct Turn(NetlinkChannel channel, byte[] buffer) : IDisposable
    {
        /// <summary>
        /// Receives what is left from earlier requests. The kernel also counts a dump as under way (EBUSY) until it was read to
        /// its end, which this does.
        /// </summary>
        public void DropStaleAnswers()
        {
            while (true)
            {
                try
                {
                    if (!channel._transport.TryReceive(buffer, out _)) return;
                }
                catch (NetlinkOverrunException)
                {
                    // Nobody waits for what was lost.
                }
            }
        }

        /// <summary>Receives the answer to one request.</summary>
        /// <returns>Whether it is consistent: false when it was a dump that was interrupted by changes.</returns>
        public async ValueTask<bool> AnswerAsync(
            string operation, uint sequence, NlMessageVisitor? visit, CancellationToken cancellationToken)
        {
            var answer = new Answer(operation, sequence);
            while (!answer.IsComplete)
            {
                int length;
                try
                {
                    length = await channel._transport.ReceiveAsync(buffer, cancellationToken);
                }
                catch (NetlinkOverrunException lost)
                {
                    throw new NetlinkOverrunException(operation, lost);
                }

                answer.Read(buffer.AsSpan(0, length), visit);
            }

            return !answer.WasInterrupted;
        }

        /// <summary>Receives all answers to the messages just sent; they were all queued before the send returned.</summary>
        /// <param name="first">The number of the first message.</param>
        /// <param name="count">How many messages.</param>
        /// <param name="acknowledged">The index of the message that is answered in any case, unless the batch as such is refused.</param>
        /// <param name="visit">Is given what is no acknowledgement; null for nobody.</param>
        /// <returns>The refusals by index, and whether none was lost.</returns>
        public (List<NetlinkMessageError> Errors, bool IsComplete) CollectAll(uint first, int count, int acknowledged, NlAnswerVisitor? visit = null)
        {
            List<NetlinkMessageError> errors = [];
            var (isAnswered, isLossless) = (false, true);
            Span<int> lengths = stackalloc int[ReceiveBufferSize / AnswerSize];
            while (true)
            {
                try
                {
                    var received = channel._transport.TryReceiveMany(buffer.AsSpan(0, ReceiveBufferSize), lengths);
                    if (received == 0) break;
                    for (var i = 0; i < received; i++)
                    {
                        foreach (var message in new NlMessages(buffer.AsSpan(i * AnswerSize, lengths[i])))
                        {
                            var index = message.Header.Sequence - first;
                            if (index >= (uint)count) continue;
                            if (message.Header.Type >= NlMsgHeader.FirstProtocolType) visit?.Invoke((int)index, message);
                            if (message.Header.Type != NlMsgHeader.Error) continue;
                            var errno = NlExtendedAck.Read(message, out var extended);
                            if (errno != 0) errors.Add(new NetlinkMessageError((int)index, errno, extended));
                            isAnswered |= index == acknowledged;
                        }
                    }
                }
                catch (NetlinkOverrunException)
                {
                    isLossless = false; // What was queued before the loss can still be received.
                }
            }

            errors.Sort(static (left, right) => left.MessageIndex.CompareTo(right.MessageIndex));
            return (errors, isLossless && (isAnswered || errors.Count > 0));
        }

        public void Dispose()
        {
            ArrayPool<byte>.Shared.Return(buffer);
            channel._turn.Release();
        }
    }

    /// <summary>Puts together the answer to one request from datagrams.</summary>
    private struct Answer(string operation, uint sequence)
    {
        public bool IsComplete { get; private set; }

        public bool WasInterrupted { get; private set; }

        public void Read(ReadOnlySpan<byte> datagram, NlMessageVisitor? visit)
        {
            foreach (var message in new NlMessages(datagram))
            {
                if (message.Header.Sequence != sequence) continue; // a late answer to a request given up, or a notification
                WasInterrupted |= message.Header.Flags.HasFlag(NlMsgFlags.DumpInterrupted) && IsOfDump(message.Header);
                switch (message.Header.Type)
                {
                    case NlMsgHeader.Error or NlMsgHeader.Done:
                        Finish(message);
                        return;
                    case NlMsgHeader.Overrun:
                        throw new NetlinkOverrunException(operation);
                    case >= NlMsgHeader.FirstProtocolType when !WasInterrupted:
                        visit?.Invoke(message);
                        break;
                }
            }
        }

        private static bool IsOfDump(NlMsgHeader header) => header.Flags.HasFlag(NlMsgFlags.Multi);

        private void Finish(NlMessage message)
        {
            IsComplete = true;
            var errno = NlExtendedAck.Read(message, out var extended);
            if (errno == 0) return;
            if (errno == Errno.Interrupted) WasInterrupted = true;
            else throw new NetlinkException(operation, errno, extended, sequence);
        }
    }
}
