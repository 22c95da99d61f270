using System;
using System.Threading.Tasks;

namespace Altinn.App.Test
{
    /// <summary>Counts and prints what is found.</summary>
    public class Cases
    {
        public int Good { get; private set; }

        public int Bad { get; private set; }

        /// <summary>A case; one that fails does not stop those that follow.</summary>
        public async Task Case(string name, Func<Task> play)
        {
            try
            {
                await play();
                Good++;
                Console.WriteLine("ok      " + name);
            }
            catch (Exception e) when (!(e is Stopped))
            {
                Bad++;
                Console.WriteLine($"FAILED  {name}\n        {e.GetType().Name}: {e.Message}");
            }
        }

        public static void Same<T>(T expected, T found, string what)
        {
            if (!Equals(expected, found))
            {
                throw new InvalidOperationException($"{what} is `{found}`, not `{expected}`");
            }
        }

        public static void True(bool found, string what)
        {
            if (!found)
            {
                throw new InvalidOperationException("not so: " + what);
            }
        }
    }
}
